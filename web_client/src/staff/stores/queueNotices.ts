import { defineStore } from 'pinia'
import { ref } from 'vue'
import type { NoticeRequest, NoticeView } from '../../gen/protocol'
import { failureOf, type Failure } from '../lib/errors'
import { useServer } from '../lib/server'

export type NoticeState = 'now' | 'coming' | 'over' | 'withdrawn'

/** What a notice is at a moment. */
export function stateOf(notice: NoticeView, now: number): NoticeState {
  if (notice.withdrawn_at) return 'withdrawn'
  if (Date.parse(notice.valid_until) <= now) return 'over'
  return Date.parse(notice.valid_from) > now ? 'coming' : 'now'
}

/** What waiting customers are told. */
export const useQueueNotices = defineStore('queueNotices', () => {
  const rows = ref<NoticeView[] | null>(null)
  const busy = ref<string | null>(null)
  const done = ref<string | null>(null)
  const failure = ref<Failure | null>(null)

  async function attempt(name: string, action: () => Promise<unknown>): Promise<boolean> {
    busy.value = name
    failure.value = null
    done.value = null
    try {
      await action()
      rows.value = await useServer().http.get<NoticeView[]>('/api/queue-notices')
      done.value = name
      return true
    } catch (error) {
      failure.value = failureOf(error)
      return false
    } finally {
      busy.value = null
    }
  }

  const load = (): Promise<boolean> => attempt('load', () => Promise.resolve())
  const publish = (body: NoticeRequest): Promise<boolean> => attempt('publish', () => useServer().http.post('/api/queue-notices', body))
  const withdraw = (id: string): Promise<boolean> => attempt('withdraw', () => useServer().http.post(`/api/queue-notices/${id}/withdraw`))

  return { rows, busy, done, failure, load, publish, withdraw }
})
