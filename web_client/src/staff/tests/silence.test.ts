import { describe, expect, it } from 'vitest'
import { pauseEnd, stretches } from '../lib/silence'

describe('skipping silence', () => {
  const talk = stretches([
    { start_s: 30, end_s: 35 },
    { start_s: 2, end_s: 5 },
    { start_s: 6, end_s: 8 },
  ])

  it('keeps short pauses and a little around each utterance', () => {
    expect(talk).toEqual([
      { start_s: 1.75, end_s: 8.25 },
      { start_s: 29.75, end_s: 35.25 },
    ])
  })

  it('knows when somebody speaks again, and that nobody does any more', () => {
    expect(pauseEnd(talk, 0, 60)).toBe(1.75)
    expect(pauseEnd(talk, 5.5, 60)).toBeNull()
    expect(pauseEnd(talk, 12, 60)).toBe(29.75)
    expect(pauseEnd(talk, 36, 60)).toBe(60)
    expect(pauseEnd([], 3, 60)).toBeNull()
  })
})
