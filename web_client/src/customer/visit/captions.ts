import type { Caption } from '@shared/protocol'

/** Lines that stay on the screen: more would cover the teller's face. */
export const MAX_LINES = 3

/**
 * Folds a caption into the lines shown. A partial caption replaces the party's last partial one and
 * becomes firm with its final text.
 */
export function foldCaption(lines: readonly Caption[], next: Caption): Caption[] {
  const kept = lines.filter((line) => line.final || line.party !== next.party)
  if (next.text.trim() === '') return kept
  return [...kept, next].sort((a, b) => a.start_s - b.start_s).slice(-MAX_LINES)
}
