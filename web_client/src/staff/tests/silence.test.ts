import { describe, expect, it } from 'vitest'
import { afterSilence, stretches } from '../lib/silence'

describe('skipping silence', () => {
  const talk = stretches([
    { start_s: 30, end_s: 35 },
    { start_s: 2, end_s: 5 },
    { start_s: 6, end_s: 8 },
  ])

  it('keeps short pauses and a little around each utterance', () => {
    expect(talk).toEqual([
      { start_s: 1.6, end_s: 8.4 },
      { start_s: 29.6, end_s: 35.4 },
    ])
  })

  it('goes on where somebody speaks again, and stays where somebody does', () => {
    expect(afterSilence(talk, 0)).toBe(1.6)
    expect(afterSilence(talk, 5.5)).toBeNull()
    expect(afterSilence(talk, 12)).toBe(29.6)
    expect(afterSilence(talk, 36)).toBeNull()
    expect(afterSilence([], 3)).toBeNull()
  })
})
