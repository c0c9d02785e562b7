/** Where somebody speaks, and where to go on when nobody does. Pure. */

export interface Speech {
  start_s: number
  end_s: number
}

/** A pause shorter than this is part of the talk and is not skipped. */
export const PAUSE_S = 2
/** Kept around each utterance, so that no syllable is cut. */
const AROUND_S = 0.4

/** Utterances of both sides as merged stretches, in order of time. */
export function stretches(segments: readonly Speech[]): Speech[] {
  const sorted = [...segments].sort((a, b) => a.start_s - b.start_s)
  const merged: Speech[] = []
  for (const { start_s, end_s } of sorted) {
    const begin = Math.max(0, start_s - AROUND_S)
    const end = end_s + AROUND_S
    const last = merged.at(-1)
    if (last && begin - last.end_s < PAUSE_S) last.end_s = Math.max(last.end_s, end)
    else merged.push({ start_s: begin, end_s: end })
  }
  return merged
}

/**
 * Where playing should go on from a position: the beginning of the next stretch when the position lies in a silence,
 * null when somebody speaks there, or nobody speaks any more.
 */
export function afterSilence(talk: readonly Speech[], position_s: number): number | null {
  if (talk.some((one) => position_s >= one.start_s && position_s < one.end_s)) return null
  return talk.find((one) => one.start_s > position_s)?.start_s ?? null
}
