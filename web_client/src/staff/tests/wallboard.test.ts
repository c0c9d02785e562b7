import { describe, expect, it } from 'vitest'
import type { QueueRow, WallboardView } from '../../gen/protocol'
import { bigNumbers, byNeed, byState, percent, percentOf, span } from '../lib/wallboard'

const FIGURES = {
  offered: 10, answered: 8, abandoned: 1, short_abandoned: 1, service_level: 0.5, answer_rate: 0.96, abandon_rate: 0.1,
  asa_s: 65.4, aht_s: 492, satisfaction: null, rated: 0, overtime: 0,
}
const queue = (code: string, since: string | null): QueueRow => ({
  business_code: code, name_zh: code, name_en: code, waiting: since ? 1 : 0, ringing: 0, running: 0, longest_since: since,
  figures: FIGURES, service_level_bad_since: '2026-03-02T09:00:00Z', answer_rate_bad_since: null,
})
const at = (time: string): number => Date.parse(`2026-03-02T${time}Z`)
const VIEW: WallboardView = {
  at: '2026-03-02T09:10:00Z', aims: { service_level_s: 20, service_level: 0.72, answer_rate: 0.95, longest_wait_s: 300 },
  total: queue('', '2026-03-02T09:00:00Z'), queues: [], tellers: [], waiting: [], running: [], alarms: [], help: [], emergency: null,
}

describe('the wallboard', () => {
  it('shows shares and spans, and a dash where there is nothing', () => {
    expect([percent(0.724), percent(null), span(492), span(null)]).toEqual(['72%', '—', '8:12', '—'])
    expect([0.7149, 0.7199, 0.72, null].map((share) => percentOf(share, 0.72)), 'what misses its aim never looks as if it reached it').toEqual(['71%', '71.9%', '72%', '—'])
  })

  it('says since when a number is bad', () => {
    const numbers = Object.fromEntries(bigNumbers(VIEW, at('09:06:00')).map((each) => [each.key, each]))
    expect(numbers.longest).toMatchObject({ value: '6:00', tone: 'bad', since: '2026-03-02T09:05:00.000Z' })
    expect(numbers.level).toMatchObject({ value: '50%', tone: 'bad', since: '2026-03-02T09:00:00Z' })
    expect(numbers.answers).toMatchObject({ value: '96%', tone: 'ok', since: null })
    expect(bigNumbers(VIEW, at('09:04:00'))[1]).toMatchObject({ value: '4:00', tone: 'plain', since: null })
  })

  it('puts the longest wait and the busy tellers first', () => {
    const rows = byNeed([queue('idle', null), queue('new', '2026-03-02T09:05:00Z'), queue('old', '2026-03-02T09:01:00Z')])
    expect(rows.map((row) => row.business_code)).toEqual(['old', 'new', 'idle'])
    const teller = (state: 'ready' | 'in_call' | 'offline') => ({
      teller_id: state, display_name: '', staff_number: '', state, reason: '', since: '', call_id: null, answered: 0, aht_s: null, occupancy: null, satisfaction: null,
    })
    expect(byState([teller('offline'), teller('ready'), teller('in_call')]).map((each) => each.state)).toEqual(['in_call', 'ready', 'offline'])
  })
})
