"""Reading ID cards: `card` finds the fields among lines of text (pure), `engine` reads the lines from pictures."""
