import { describe, expect, it } from 'vitest'
import { bankDay, clock, secondsSince, waitWords } from './time'

describe('clock', () => {
  it.each([
    [0, '0:00'],
    [9.9, '0:09'],
    [75, '1:15'],
    [3675, '1:01:15'],
    [-4, '0:00'],
  ])('%d s reads %s', (seconds, text) => expect(clock(seconds)).toBe(text))
})

describe('secondsSince', () => {
  it('counts from an ISO time', () => {
    expect(secondsSince('2026-01-01T00:00:00Z', Date.parse('2026-01-01T00:01:30Z'))).toBe(90)
  })
  it('is never negative', () => {
    expect(secondsSince('2026-01-01T00:00:10Z', Date.parse('2026-01-01T00:00:00Z'))).toBe(0)
  })
})

describe('waitWords', () => {
  it('is unknown without an estimate', () => expect(waitWords(null, null)).toEqual({ key: 'unknown' }))
  it('says soon below a minute', () => expect(waitWords(0, 60)).toEqual({ key: 'soon' }))
  it('gives a range in minutes', () => expect(waitWords(130, 301)).toEqual({ key: 'range', low: 2, high: 6 }))
  it('gives one figure when both ends fall together', () => {
    expect(waitWords(100, 115)).toEqual({ key: 'minutes', minutes: 2 })
  })
  it('never promises less than a minute', () => expect(waitWords(5, 90)).toEqual({ key: 'range', low: 1, high: 2 }))
})

it('counts days at the bank, wherever somebody looks at them', () => {
  expect(bankDay(new Date('2026-12-01T15:59:59Z'))).toBe('2026-12-01')
  expect(bankDay(new Date('2026-12-01T16:00:00Z'))).toBe('2026-12-02')
})
