import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import type { ReviewDetail, ReviewList, ReviewRow } from '../../gen/protocol'
import { failureOf, type Failure } from '../lib/errors'
import { polled, useAttempt } from '../lib/polled'
import { useServer } from '../lib/server'

/** Requests for a second person: the list, the one that is open, and deciding it. */
export const useReviews = defineStore('reviews', () => {
  const list = polled(() => useServer().http.get<ReviewList>('/api/reviews'))
  const { busy, failure, attempt } = useAttempt()
  const open = ref<ReviewDetail | null>(null)
  const openFailure = ref<Failure | null>(null)
  const waiting = computed(() => (list.data.value?.items ?? []).filter((row) => row.state === 'waiting'))
  const decided = computed(() => (list.data.value?.items ?? []).filter((row) => row.state !== 'waiting'))

  async function show(id: string): Promise<void> {
    open.value = null
    openFailure.value = null
    try {
      open.value = await useServer().http.get<ReviewDetail>(`/api/reviews/${encodeURIComponent(id)}`)
    } catch (error) {
      openFailure.value = failureOf(error)
    }
  }

  /** Decides about exactly what is shown: the server refuses it when anything has changed since. */
  const decide = (decision: 'approve' | 'refuse' | 'return', reason: string): Promise<boolean> =>
    attempt(decision, async () => {
      const shown = open.value!
      const { case_version, shown_sha256 } = shown
      const row = await useServer().http.post<ReviewRow>(`/api/reviews/${encodeURIComponent(shown.id)}/decision`, { decision, case_version, shown_sha256, reason })
      open.value = { ...shown, ...row }
      await list.load()
    })

  return { list: list.data, listFailure: list.failure, start: list.start, stop: list.stop, load: list.load, waiting, decided, open, openFailure, show, busy, failure, decide }
})
