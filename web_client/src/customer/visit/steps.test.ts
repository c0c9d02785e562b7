import { describe, expect, it } from 'vitest'
import { call } from '../../../tests/fakes/customerCall'
import { brokeOff, endKind, stepOf } from './steps'

describe('stepOf', () => {
  it.each([
    ['queued', 'waiting'],
    ['offered', 'waiting'],
    ['accepted', 'call'],
    ['connected', 'call'],
  ] as const)('%s shows %s', (state, step) => expect(stepOf(call({ state }))).toBe(step))

  it('asks for a rating only after a talk', () => {
    expect(stepOf(call({ state: 'wrap_up', accepted_at: '2026-01-01T00:00:00Z' }))).toBe('rating')
    expect(stepOf(call({ state: 'closed', accepted_at: '2026-01-01T00:00:00Z' }))).toBe('rating')
    expect(stepOf(call({ state: 'closed' }))).toBe('ended')
  })
})

describe('ends', () => {
  it('have a kind each', () => {
    expect(endKind('customer_left_queue')).toBe('left')
    expect(endKind('customer_lost')).toBe('lost')
    expect(endKind('system_restart')).toBe('restart')
    expect(endKind(null)).toBe('failed')
  })
  it('know a talk that broke off', () => {
    expect(brokeOff('teller_lost')).toBe(true)
    expect(brokeOff('teller_hung_up')).toBe(false)
    expect(brokeOff(null)).toBe(false)
  })
})
