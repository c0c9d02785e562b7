import type { PointGroup } from 'signature_pad'

/** Strokes as the server takes them: shares of the pad, milliseconds since the first point, pressure. */
export function strokesOf(groups: PointGroup[], width: number, height: number): number[][][] {
  const drawn = groups.filter((group) => group.points.length > 0)
  const first = drawn[0]?.points[0]?.time ?? 0
  const share = (value: number, size: number): number => Math.min(1, Math.max(0, Math.round((value / size) * 10_000) / 10_000))
  const at = ({ x, y, time, pressure }: { x: number; y: number; time: number; pressure: number }): number[] => [
    share(x, width),
    share(y, height),
    Math.max(0, time - first),
    Math.min(1, Math.max(0, pressure || 0.5)),
  ]
  return drawn.map(({ points }) => points.map(at))
}
