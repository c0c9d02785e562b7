/** Geometry of the recording's time line: seconds ↔ pixels, markers, gaps, waveform. Pure. */

import type { FindingKind, Gap, Party, QaFile, QaFinding } from './wire'

export interface Span {
  x: number
  width: number
}

export interface GapSpan extends Span {
  /** A secure pause was asked for; every other gap is a fault. */
  paused: boolean
}

export interface Marker {
  id: string
  kind: FindingKind
  x: number
  /** 0 is the lowest row; markers that would overlap are stacked. */
  row: number
}

/** Seconds → pixels, kept on the bar. */
export function xOf(seconds: number, total_s: number, width: number): number {
  if (total_s <= 0) return 0
  return Math.min(width, Math.max(0, (seconds / total_s) * width))
}

/** Pixels → seconds, kept within the call. */
export function secondsAt(x: number, total_s: number, width: number): number {
  if (width <= 0) return 0
  return Math.min(total_s, Math.max(0, (x / width) * total_s))
}

/** The call's length on its time line: the end of the longest file, or of a gap behind it. */
export function totalSeconds(
  files: readonly Pick<QaFile, 'offset_s' | 'duration_s'>[],
  gaps: readonly Pick<Gap, 'to_s'>[] = [],
): number {
  const ends = [...files.map((file) => file.offset_s + file.duration_s), ...gaps.map((gap) => gap.to_s ?? 0)]
  return Math.max(0, ...ends)
}

/** Where findings with a time stand; neighbours closer than `size` pixels are stacked into `rows` rows. */
export function layoutMarkers(
  findings: readonly QaFinding[],
  total_s: number,
  width: number,
  size = 16,
  rows = 3,
): Marker[] {
  const timed = findings.filter((finding) => finding.at_s !== null).sort((a, b) => a.at_s! - b.at_s!)
  const lastX: number[] = []
  return timed.map((finding) => {
    const x = xOf(finding.at_s!, total_s, width)
    let row = 0
    while (row < rows - 1 && lastX[row] !== undefined && x - lastX[row]! < size) row += 1
    lastX[row] = x
    return { id: finding.id, kind: finding.kind, x, row }
  })
}

/** Marked gaps of one party as spans, at least 2 px wide so that none is invisible. */
export function layoutGaps(gaps: readonly Gap[], party: Party, total_s: number, width: number): GapSpan[] {
  return gaps
    .filter((gap) => gap.party === party || (gap.party ?? null) === null)
    .map((gap) => {
      const x = xOf(gap.from_s, total_s, width)
      return { x, width: Math.max(2, xOf(gap.to_s ?? total_s, total_s, width) - x), paused: gap.reason === 'secure_pause' }
    })
}

/**
 * One party's waveform as an SVG path, mirrored about `middle`.
 *
 * @param peaks Values 0–1, evenly spread over the file.
 */
export function waveformPath(
  file: Pick<QaFile, 'peaks' | 'offset_s' | 'duration_s'>,
  total_s: number,
  width: number,
  middle: number,
  amplitude: number,
): string {
  const from = xOf(file.offset_s, total_s, width)
  const to = xOf(file.offset_s + file.duration_s, total_s, width)
  const columns = Math.min(file.peaks.length, Math.max(1, Math.floor((to - from) / 2)))
  if (file.peaks.length === 0 || to <= from) return ''
  let path = ''
  for (let column = 0; column < columns; column += 1) {
    const start = Math.floor((column * file.peaks.length) / columns)
    const end = Math.max(start + 1, Math.floor(((column + 1) * file.peaks.length) / columns))
    let peak = 0
    for (let i = start; i < end; i += 1) peak = Math.max(peak, Math.abs(file.peaks[i]!))
    const half = Math.max(0.5, Math.min(1, peak) * amplitude)
    const x = (from + ((column + 0.5) * (to - from)) / columns).toFixed(1)
    path += `M${x} ${(middle - half).toFixed(1)}V${(middle + half).toFixed(1)}`
  }
  return path
}

/** Step between labels so that they stay readable: 5 s … 10 min. */
export function tickStep(total_s: number, width: number, minPx = 64): number {
  const steps = [5, 10, 15, 30, 60, 120, 300, 600]
  return steps.find((step) => (step / Math.max(total_s, 1)) * width >= minPx) ?? 1200
}

/** Seconds of all labels on the ruler. */
export function ticks(total_s: number, width: number): number[] {
  const step = tickStep(total_s, width)
  return Array.from({ length: Math.floor(total_s / step) + 1 }, (_, index) => index * step)
}
