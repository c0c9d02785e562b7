import { describe, expect, it } from 'vitest'
import { daysBetween, readHours, writeHours } from '../lib/hours'
import { stateOf } from '../stores/queueNotices'

describe('opening hours as people type them', () => {
  it('reads spans in any order and punctuation, and writes them back', () => {
    expect(readHours('13:30–17:00，9:00-12:00')).toEqual([['09:00', '12:00'], ['13:30', '17:00']])
    expect(readHours('00:00-24:00')).toEqual([['00:00', '24:00']])
    expect(readHours(' ')).toEqual([])
    expect(writeHours([['09:00', '12:00'], ['13:30', '17:00']])).toBe('09:00-12:00, 13:30-17:00')
  })

  it.each(['9-17', '17:00-09:00', '09:00-12:00, 11:00-13:00', '09:00-24:30', '09:60-10:00', '09:00-09:00', '25:00-26:00', 'closed'])('does not guess at %s', (text) => {
    expect(readHours(text)).toBeNull()
  })

  it('counts days over the end of a month', () => {
    expect(daysBetween('2026-09-29', '2026-10-02')).toEqual(['2026-09-29', '2026-09-30', '2026-10-01', '2026-10-02'])
    expect(daysBetween('2026-10-02', '')).toEqual(['2026-10-02'])
    expect(daysBetween('2026-10-02', '2026-10-01')).toEqual([])
  })
})

describe('a notice', () => {
  const notice = { id: 'n', kind: 'notice' as const, business_code: null, text_zh: '', text_en: '', valid_from: '2026-01-01T10:00:00Z', valid_until: '2026-01-01T12:00:00Z', withdrawn_at: null }
  it('is what its validity says', () => {
    const at = (time: string) => stateOf(notice, Date.parse(`2026-01-01T${time}:00Z`))
    expect([at('09:59'), at('10:00'), at('11:59'), at('12:00')]).toEqual(['coming', 'now', 'now', 'over'])
    expect(stateOf({ ...notice, withdrawn_at: '2026-01-01T10:30:00Z' }, Date.parse('2026-01-01T11:00:00Z'))).toBe('withdrawn')
  })
})
