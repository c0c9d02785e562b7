import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import type { OwnTicket, TicketDetail, TicketOpenRequest, TicketRow } from '../../gen/protocol'
import { failureOf, type Failure } from '../lib/errors'
import { useServer } from '../lib/server'

export const DEPARTMENTS = ['operations', 'quality', 'product', 'technology'] as const
/** So many rows are asked for at first, and so many more each time. */
const PAGE = 100
export type Filter = 'open' | 'answered' | 'closed'

/** Tickets of the departments I work for, the one that is open on the page, and those I opened myself. */
export const useTickets = defineStore('tickets', () => {
  const rows = ref<TicketRow[] | null>(null)
  const filter = ref<Filter>('open')
  const current = ref<TicketDetail | null>(null)
  const own = ref<OwnTicket[] | null>(null)
  const failure = ref<Failure | null>(null)
  const busy = ref(false)
  const limit = ref(PAGE)
  const mayHaveMore = computed(() => (rows.value?.length ?? 0) >= limit.value)
  const late = computed(() => (rows.value ?? []).filter((row) => row.overdue).length)

  async function attempt(action: () => Promise<void>): Promise<boolean> {
    busy.value = true
    failure.value = null
    try {
      await action()
      return true
    } catch (error) {
      failure.value = failureOf(error)
      return false
    } finally {
      busy.value = false
    }
  }

  const http = () => useServer().http
  const load = () =>
    attempt(async () => {
      rows.value = await http().get<TicketRow[]>(`/api/tickets?state=${filter.value}&limit=${limit.value}`)
    })
  const choose = (state: Filter) => {
    filter.value = state
    limit.value = PAGE
    return load()
  }
  const more = () => {
    limit.value += PAGE
    return load()
  }
  const open = (id: string) =>
    attempt(async () => {
      current.value = await http().get<TicketDetail>(`/api/tickets/${id}`)
      rows.value = (rows.value ?? []).map((row) => (row.id === id ? { ...row, seen_at: current.value!.seen_at } : row))
    })
  const change = (what: string, body: object) =>
    attempt(async () => {
      current.value = await http().post<TicketDetail>(`/api/tickets/${current.value!.id}/${what}`, body)
      await load()
    })
  const note = (text: string) => change('notes', { text })
  const answer = (text: string) => change('answer', { version: current.value!.version, answer: text })
  const close = () => change('close', { version: current.value!.version })
  const move = (department: string, reason: string) =>
    attempt(async () => {
      await http().post(`/api/tickets/${current.value!.id}/move`, { version: current.value!.version, department, reason })
      current.value = null
      await load()
    })

  const loadOwn = () =>
    attempt(async () => {
      own.value = await http().get<OwnTicket[]>('/api/my-tickets')
    })
  const write = (request: TicketOpenRequest) =>
    attempt(async () => {
      await http().post<OwnTicket>('/api/tickets', request)
      own.value = await http().get<OwnTicket[]>('/api/my-tickets')
    })

  return {
    rows, filter, current, own, failure, busy, late, mayHaveMore, load, choose, more, open, note, answer, close, move, loadOwn, write,
  }
})
