export const RING_RADIUS = 70

/** The countdown ring: the circle's length and how much of it is gone. */
export function ringArc(left_s: number, whole_s: number): { length: number; offset: number } {
  const length = 2 * Math.PI * RING_RADIUS
  const share = whole_s > 0 ? Math.min(1, Math.max(0, left_s / whole_s)) : 0
  return { length, offset: length * (1 - share) }
}
