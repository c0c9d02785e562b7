import { defineStore } from 'pinia'
import { ref } from 'vue'
import type { NoticeList } from '../../gen/protocol'
import { polled, useAttempt } from '../lib/polled'
import { useServer } from '../lib/server'

/** Messages to customers and how they travelled. */
export const useNotices = defineStore('notices', () => {
  const state = ref<'failed' | 'waiting' | 'sent' | 'all'>('failed')
  const list = polled(() => useServer().http.get<NoticeList>(`/api/notices?state=${state.value}`), 5000)
  const { busy, failure, attempt } = useAttempt()

  function show(next: typeof state.value): void {
    state.value = next
    list.data.value = null
    void list.load()
  }

  const retry = (id: string): Promise<boolean> =>
    attempt(id, async () => {
      await useServer().http.post(`/api/notices/${encodeURIComponent(id)}/retry`)
      await list.load()
    })

  return { state, show, list: list.data, listFailure: list.failure, start: list.start, stop: list.stop, load: list.load, busy, failure, retry }
})
