import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import type { BookingDay, BookingRow } from '../../gen/protocol'
import { failureOf, type Failure } from '../lib/errors'
import { useServer } from '../lib/server'

/** A booked customer should be with a teller within this time. */
export const PROMISED_S = 180

/** Where somebody stands: before the check-in the booking, then the call. */
export type Standing = 'booked' | 'due' | 'waiting' | 'talking' | 'done' | 'left' | 'cancelled' | 'missed'

export function standingOf(row: BookingRow, now: number): Standing {
  if (row.state === 'cancelled' || row.state === 'missed') return row.state
  if (row.state === 'booked') return now >= Date.parse(row.starts_at) ? 'due' : 'booked'
  if (row.call_state === 'accepted' || row.call_state === 'connected') return 'talking'
  if (row.call_state === 'wrap_up' || row.call_state === 'closed') return row.waited_s === null ? 'left' : 'done'
  return 'waiting'
}

/** Who comes when, today or on another day. */
export const useBookings = defineStore('bookings', () => {
  const day = ref('')
  const data = ref<BookingDay | null>(null)
  const failure = ref<Failure | null>(null)
  /** By time, as the slots are. */
  const slots = computed(() => {
    const rows = new Map<string, BookingRow[]>()
    for (const row of data.value?.appointments ?? []) rows.set(row.starts_at, [...(rows.get(row.starts_at) ?? []), row])
    return [...rows].map(([starts_at, list]) => ({ starts_at, rows: list }))
  })

  async function load(): Promise<void> {
    const wanted = day.value
    try {
      const got = await useServer().http.get<BookingDay>(`/api/bookings${wanted ? `?day=${wanted}` : ''}`)
      if (wanted !== day.value) return
      data.value = got
      failure.value = null
    } catch (error) {
      failure.value = failureOf(error)
    }
  }

  async function show(next: string): Promise<void> {
    day.value = next
    data.value = null
    await load()
  }

  return { day, data, failure, slots, load, show }
})
