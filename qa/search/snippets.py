"""The stretch of an utterance that a search found, with the place of the hit. Pure."""

from qa.compliance.normalize import NormalText, spoken
from qa.compliance.phonetic import sound
from qa.search.letters import pinyin_query

_AROUND = 28  # characters kept before and after the hit


Stretch = tuple[int, int, list[tuple[int, int]]]


def cut(text: str, query: str, *, by_sound: bool, shown: str | None = None) -> Stretch | None:
    """The stretch [from, to) of some characters around the first hit, and [from, to) of every hit in that stretch.

    Args:
        shown: The text as the reader may see it, of the same length. Hits in what is covered there do not count;
            None when there are no others: finding a number by guessing it would be reading it.
    """
    view = spoken(text)
    found = _by_sound(view, query) if by_sound else _by_text(view, query)
    places = [(view.origin[start], view.origin[end - 1] + 1) for start, end in found]
    if shown is not None and places:
        places = [(start, end) for start, end in places if shown[start:end] == text[start:end]]
        if not places:
            return None
    if not places:
        return 0, min(len(text), 2 * _AROUND), []
    low = max(0, places[0][0] - _AROUND)
    high = min(len(text), places[0][1] + _AROUND)
    marks = [(start - low, end - low) for start, end in places if end <= high]
    return low, high, marks


def _by_text(view: NormalText, query: str) -> list[tuple[int, int]]:
    wanted = spoken(query).text
    out, at = [], view.text.find(wanted)
    while wanted and at >= 0:
        out.append((at, at + len(wanted)))
        at = view.text.find(wanted, at + len(wanted))
    return out


def _by_sound(view: NormalText, query: str) -> list[tuple[int, int]]:
    """Characters whose syllables hold the letters that were typed; also a syllable in which they begin or end."""
    syllables = sound(view.text).syllables
    letters, wanted = "".join(syllables), pinyin_query(query)
    owner = [n for n, syllable in enumerate(syllables) for _ in syllable]
    out, at = [], letters.find(wanted)
    while at >= 0:
        out.append((owner[at], owner[at + len(wanted) - 1] + 1))
        at = letters.find(wanted, at + len(wanted))
    return out
