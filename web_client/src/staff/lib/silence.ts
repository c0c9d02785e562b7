/** Where somebody speaks, and when nobody does. Pure. */

export interface Speech {
  start_s: number
  end_s: number
}

/** A pause shorter than this is part of the talk. */
const PAUSE_S = 0.6
/** Kept around each utterance, so that no syllable is cut. */
const AROUND_S = 0.25
/** Longer pauses are jumped over; shorter ones are rushed through, which is quicker than loading another place. */
export const JUMP_FROM_S = 6

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

/** Where the pause ends in which a position lies (at the end of the call after the last word); null while somebody speaks. */
export function pauseEnd(talk: readonly Speech[], position_s: number, total_s: number): number | null {
  if (talk.length === 0 || talk.some((one) => position_s >= one.start_s && position_s < one.end_s)) return null
  return talk.find((one) => one.start_s > position_s)?.start_s ?? total_s
}
