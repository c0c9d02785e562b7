import { describe, expect, it } from 'vitest'
import { follow, levelOf, litBars, rms } from './gauge'
import { checkNetwork, grade, median } from './network'

describe('gauge', () => {
  it('measures a sine at its peak over root two', () => {
    const sine = Float32Array.from({ length: 4800 }, (_, n) => 0.5 * Math.sin((2 * Math.PI * 100 * n) / 48_000))
    expect(rms(sine)).toBeCloseTo(0.5 / Math.SQRT2, 3)
  })
  it('is silent without samples', () => expect(rms(new Float32Array())).toBe(0))
  it('shows nothing for silence and a quiet room', () => {
    expect(levelOf(0)).toBe(0)
    expect(levelOf(0.001)).toBe(0)
  })
  it('fills up with loud talk and not beyond', () => {
    expect(levelOf(0.25)).toBeCloseTo(1, 1)
    expect(levelOf(1)).toBe(1)
  })
  it('grows with the sound', () => expect(levelOf(0.05)).toBeGreaterThan(levelOf(0.01)))
  it('jumps up and sinks slowly', () => {
    expect(follow(0.1, 0.9)).toBe(0.9)
    expect(follow(0.9, 0)).toBeCloseTo(0.792)
  })
  it.each([
    [0, 0],
    [0.5, 8],
    [1, 16],
    [3, 16],
  ])('level %d lights %d of 16 bars', (level, bars) => expect(litBars(level, 16)).toBe(bars))
})

describe('network check', () => {
  it('takes the middle one of a few round trips', () => expect(median([900, 20, 30])).toBe(30))
  it.each([
    [40, 'good'],
    [300, 'fair'],
    [900, 'weak'],
  ])('%d ms is %s', (ms, word) => expect(grade(ms)).toBe(word))
  it('is not spoilt by the first, slow round trip', async () => {
    const times = [800, 20, 30]
    await expect(checkNetwork(async () => times.shift() ?? 0)).resolves.toBe('good')
  })
  it('is down when nobody answers', async () => {
    await expect(checkNetwork(() => Promise.reject(new Error('no')))).resolves.toBe('down')
  })
})
