import { beforeEach, describe, expect, it } from 'vitest'
import type { BookingDay, BookingRow } from '../../gen/protocol'
import { standingOf, useBookings } from '../stores/bookings'
import { fakeServer, type FakeHttp } from './fakes'

const ROW: BookingRow = {
  id: 'appointment_1', business_code: 'transfer', starts_at: '2026-01-01T02:00:00Z', ends_at: '2026-01-01T02:30:00Z', phone_masked: '138****8000', language: 'zh-CN',
  state: 'booked', reminded: false, documents: 1, checked_in_at: null, call_number: null, call_state: null, waited_s: null,
}
const at = (time: string): number => Date.parse(`2026-01-01T${time}:00Z`)
let http: FakeHttp

beforeEach(() => {
  ;({ http } = fakeServer())
})

describe('where a booked customer stands', () => {
  it('is the booking before the check-in, then the call', () => {
    const inCall = (call_state: string, waited_s: number | null = null) => standingOf({ ...ROW, state: 'checked_in', call_state, waited_s }, at('02:10'))
    expect([standingOf(ROW, at('01:59')), standingOf(ROW, at('02:00'))]).toEqual(['booked', 'due'])
    expect(['queued', 'offered', 'accepted', 'connected'].map((state) => inCall(state))).toEqual(['waiting', 'waiting', 'talking', 'talking'])
    expect([inCall('closed', 30), inCall('closed'), standingOf({ ...ROW, state: 'missed' }, at('03:00'))]).toEqual(['done', 'left', 'missed'])
  })
})

describe('a day of bookings', () => {
  it('is shown by its times, and a late answer of another day is not', async () => {
    const day: BookingDay = { day: '2026-01-01', callbacks: [], appointments: [ROW, { ...ROW, id: 'appointment_2' }, { ...ROW, id: 'appointment_3', starts_at: '2026-01-01T03:00:00Z' }] }
    http.answers.set('GET /api/bookings', day)
    http.answers.set('GET /api/bookings?day=2026-01-02', { ...day, day: '2026-01-02', appointments: [] })
    const bookings = useBookings()
    await bookings.show('')
    expect(bookings.slots.map((slot) => slot.rows.length)).toEqual([2, 1])
    const first = bookings.show('')
    await bookings.show('2026-01-02')
    await first
    expect([bookings.data?.day, bookings.slots]).toEqual(['2026-01-02', []])
  })
})
