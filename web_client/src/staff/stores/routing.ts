import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import type {
  CalendarRequest, CalendarView, GroupConfigRequest, GroupConfigView, BusinessOffer, QueueConfigRequest, QueueConfigView, RoutingView,
} from '../../gen/protocol'
import { failureOf, type Failure } from '../lib/errors'
import { useServer } from '../lib/server'

export type Kind = 'queues' | 'groups' | 'calendars'

/** Queues, skill groups and opening hours, for the administrator. What is saved is in force with the next customer. */
export const useRouting = defineStore('routing', () => {
  const all = ref<RoutingView | null>(null)
  const busy = ref<string | null>(null)
  const done = ref<string | null>(null)
  const failure = ref<Failure | null>(null)

  async function attempt(name: string, action: () => Promise<void>): Promise<boolean> {
    if (busy.value) return false
    busy.value = name
    failure.value = null
    done.value = null
    try {
      await action()
      done.value = name
      return true
    } catch (error) {
      failure.value = failureOf(error)
      return false
    } finally {
      busy.value = null
    }
  }

  const http = () => useServer().http
  const read = async (): Promise<void> => void (all.value = await http().get<RoutingView>('/api/routing'))
  const load = (): Promise<boolean> => attempt('load', read)

  /** Every business, with its queue if it has been set up. */
  const lines = computed(() =>
    (all.value?.businesses ?? []).map((business) => {
      const queue = all.value!.queues.find((each) => each.business_code === business.code) ?? null
      const opening = all.value!.opening.find((each) => each.calendar_code === queue?.calendar_code) ?? null
      return { business, queue, opening }
    }),
  )
  const used = (calendar: string): number => (all.value?.queues ?? []).filter((each) => each.calendar_code === calendar).length

  const saveQueue = (code: string, body: QueueConfigRequest): Promise<boolean> =>
    attempt('queue', async () => {
      await http().put<QueueConfigView>(`/api/routing/queues/${code}`, body)
      await read()
    })

  const offer = (code: string, wanted: BusinessOffer, seen: BusinessOffer): Promise<boolean> =>
    attempt('offer', async () => {
      await http().put<BusinessOffer>(`/api/businesses/${code}`, { ...wanted, seen })
      await read()
    })

  const saveGroup = (code: string, body: GroupConfigRequest): Promise<boolean> =>
    attempt('group', async () => {
      await http().put<GroupConfigView>(`/api/routing/groups/${code}`, body)
      await read()
    })

  const saveCalendar = (code: string, body: CalendarRequest): Promise<boolean> =>
    attempt('calendar', async () => {
      await http().put<CalendarView>(`/api/routing/calendars/${code}`, body)
      await read()
    })

  function forget(): void {
    failure.value = done.value = null
  }

  return { all, busy, done, failure, lines, used, load, saveQueue, offer, saveGroup, saveCalendar, forget }
})
