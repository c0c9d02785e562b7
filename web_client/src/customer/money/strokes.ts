import type { PointGroup } from 'signature_pad'

/** Strokes as the server takes them: shares of the pad, milliseconds since the first point, pressure. */
export function strokesOf(groups: PointGroup[], width: number, height: number): number[][][] {
  const first = groups[0]?.points[0]?.time ?? 0
  const share = (value: number, size: number): number => Math.min(1, Math.max(0, Math.round((value / size) * 10_000) / 10_000))
  return groups
    .filter((group) => group.points.length > 0)
    .map(({ points }) => points.map((point) => [share(point.x, width), share(point.y, height), Math.max(0, point.time - first), Math.min(1, Math.max(0, point.pressure || 0.5))]))
}
