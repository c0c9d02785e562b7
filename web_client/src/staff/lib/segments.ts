import type { QaSegment } from './wire'

/** In the order of speaking; who started first comes first. */
export function inOrder(segments: readonly QaSegment[]): QaSegment[] {
  return [...segments].sort((a, b) => a.start_s - b.start_s || a.end_s - b.end_s)
}

/** Ids of the sentences being said at `position`; both sides may talk at once. */
export function currentIds(segments: readonly QaSegment[], position: number): Set<string> {
  return new Set(segments.filter((each) => each.start_s <= position && position < each.end_s).map((each) => each.id))
}

/** The next (+1) or previous (−1) of `times` seen from `position`; −1 when there is none. */
export function neighbour(times: readonly number[], position: number, step: 1 | -1): number {
  const slack_s = 0.25
  if (step === 1) return times.findIndex((time) => time > position + slack_s)
  for (let i = times.length - 1; i >= 0; i -= 1) if (times[i]! < position - slack_s) return i
  return -1
}
