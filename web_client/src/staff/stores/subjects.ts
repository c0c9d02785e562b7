import { defineStore } from 'pinia'
import type { SubjectAskRequest, SubjectRequestList } from '../../gen/protocol'
import { polled, useAttempt } from '../lib/polled'
import { useServer } from '../lib/server'

/** What customers asked for: everything kept about them, or its deletion. */
export const useSubjects = defineStore('subjects', () => {
  const requests = polled(() => useServer().http.get<SubjectRequestList>('/api/subjects/requests'), 3000)
  const { busy, failure, attempt } = useAttempt()

  const ask = (request: SubjectAskRequest): Promise<boolean> =>
    attempt('ask', async () => {
      requests.data.value = await useServer().http.post<SubjectRequestList>('/api/subjects/requests', request)
    })

  return { requests: requests.data, listFailure: requests.failure, start: requests.start, stop: requests.stop, load: requests.load, busy, failure, ask }
})
