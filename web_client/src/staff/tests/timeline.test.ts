import { describe, expect, it } from 'vitest'
import { layoutGaps, layoutMarkers, secondsAt, ticks, totalSeconds, waveformPath, xOf } from '../lib/timeline'
import type { QaFinding } from '../lib/wire'

const finding = (id: string, at_s: number | null): QaFinding => ({
  id,
  rule_id: id,
  kind: 'present',
  severity: 'info',
  label_zh: '',
  label_en: '',
  party: null,
  at_s,
  end_s: null,
  score: 0,
  evidence: '',
  phrase: '',
})

describe('time line', () => {
  it('turns seconds into pixels and back, kept on the bar', () => {
    expect([xOf(30, 60, 600), xOf(-1, 60, 600), xOf(99, 60, 600), xOf(1, 0, 600)]).toEqual([300, 0, 600, 0])
    expect([secondsAt(300, 60, 600), secondsAt(-4, 60, 600), secondsAt(900, 60, 600), secondsAt(5, 60, 0)]).toEqual([30, 0, 60, 0])
  })

  it('is as long as the longest file with its offset', () => {
    expect(totalSeconds([{ offset_s: 1.5, duration_s: 60 }, { offset_s: 0, duration_s: 61 }])).toBe(61.5)
    expect(totalSeconds([{ offset_s: 0, duration_s: 52 }], [{ to_s: 74 }, { to_s: null }])).toBe(74)
    expect(totalSeconds([])).toBe(0)
  })

  it('stacks markers that would hide each other and leaves out what has no time', () => {
    const markers = layoutMarkers([finding('c', 10.5), finding('a', 10), finding('none', null), finding('d', 40)], 60, 600, 16, 2)
    expect(markers.map((each) => [each.id, each.row])).toEqual([
      ['a', 0],
      ['c', 1],
      ['d', 0],
    ])
  })

  it('shows every gap of a side, however short, and those of both sides', () => {
    const gaps = [
      { party: 'customer' as const, from_s: 10, to_s: 10.01, reason: '' },
      { party: null, from_s: 50, to_s: null, reason: '' },
      { party: 'teller' as const, from_s: 1, to_s: 2, reason: '' },
    ]
    expect(layoutGaps(gaps, 'customer', 60, 600)).toEqual([
      { x: 100, width: 2, paused: false },
      { x: 500, width: 100, paused: false },
    ])
  })

  it('draws a waveform within its file and within its lane', () => {
    const path = waveformPath({ peaks: [0, 1, 9, 0.5], offset_s: 30, duration_s: 30 }, 60, 600, 20, 10)
    const xs = [...path.matchAll(/M([\d.]+)/g)].map((match) => Number(match[1]))
    const ys = [...path.matchAll(/[ V]([\d.]+)/g)].map((match) => Number(match[1]))
    expect(xs).toHaveLength(4)
    expect(Math.min(...xs)).toBeGreaterThan(300)
    expect([Math.min(...ys), Math.max(...ys)]).toEqual([10, 30])
    expect(waveformPath({ peaks: [], offset_s: 0, duration_s: 3 }, 60, 600, 20, 10)).toBe('')
  })

  it('labels a short call densely and a long one sparsely', () => {
    expect(ticks(60, 600)).toEqual([0, 10, 20, 30, 40, 50, 60])
    expect(ticks(1800, 600)).toEqual([0, 300, 600, 900, 1200, 1500, 1800])
  })
})
