import { describe, expect, it } from 'vitest'
import { strokesOf } from './strokes'

const group = (points: { x: number; y: number; time: number; pressure: number }[]) => ({ points }) as never

describe('strokes', () => {
  it('are shares of the pad and count time from the first point', () => {
    const drawn = strokesOf([group([{ x: 50, y: 25, time: 1000, pressure: 0.3 }]), group([{ x: 100, y: 100, time: 1250, pressure: 0 }])], 100, 100)
    expect(drawn).toEqual([[[0.5, 0.25, 0, 0.3]], [[1, 1, 250, 0.5]]])
  })

  it('never leave the pad and drop empty ones', () => {
    expect(strokesOf([group([]), group([{ x: -5, y: 120, time: 5, pressure: 3 }])], 100, 100)).toEqual([[[0, 1, 0, 1]]])
  })
})
