import { defineStore } from 'pinia'
import { reactive, ref, shallowRef } from 'vue'
import type { EvidenceCall, EvidenceCallPage, EvidenceList, EvidenceView, ViewingView } from '../../gen/protocol'
import { failureOf, type Failure } from '../lib/errors'
import { polled, useAttempt } from '../lib/polled'
import { useServer } from '../lib/server'

/** Finished calls, what may be looked at of them, and the own packages. */
export const useEvidence = defineStore('evidence', () => {
  const filter = reactive({ number: '', teller: '', first: '', last: '', page: 1 })
  const calls = shallowRef<EvidenceCallPage | null>(null)
  const listFailure = ref<Failure | null>(null)
  const viewing = shallowRef<ViewingView | null>(null)
  const mine = polled(() => useServer().http.get<EvidenceList>('/api/evidence'), 3000)
  const { busy, failure, attempt } = useAttempt()

  async function search(page = 1): Promise<void> {
    filter.page = page
    const given = Object.entries(filter).filter(([, value]) => value !== '')
    const query = new URLSearchParams(given.map(([key, value]) => [key, String(value)]))
    listFailure.value = null
    try {
      calls.value = await useServer().http.get<EvidenceCallPage>(`/api/evidence/calls?${query}`)
    } catch (error) {
      listFailure.value = failureOf(error)
    }
  }

  const ask = (call: EvidenceCall, purpose: string): Promise<boolean> =>
    attempt(`ask ${call.call_id}`, async () => {
      await useServer().http.post<EvidenceView>(`/api/calls/${call.call_id}/evidence`, { purpose })
      await mine.load()
    })

  const look = (call: EvidenceCall, purpose: string): Promise<boolean> =>
    attempt(`look ${call.call_id}`, async () => {
      viewing.value = await useServer().http.post<ViewingView>(`/api/calls/${call.call_id}/viewings`, { purpose })
    })

  return {
    filter, calls, listFailure, search, ask, look, viewing, busy, failure,
    mine: mine.data, mineFailure: mine.failure, start: mine.start, stop: mine.stop,
  }
})
