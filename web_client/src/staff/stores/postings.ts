import { defineStore } from 'pinia'
import type { PostingList, PostingView } from '../../gen/protocol'
import { polled, useAttempt } from '../lib/polled'
import { useServer } from '../lib/server'

/** Transactions with the core system; what is unclear waits for a decision. */
export const usePostings = defineStore('postings', () => {
  const list = polled(() => useServer().http.get<PostingList>('/api/postings'), 5000)
  const { busy, failure, attempt } = useAttempt()

  const decide = ({ id, version }: PostingView, decision: string, reason: string): Promise<boolean> =>
    attempt(id, async () => {
      await useServer().http.post(`/api/postings/${encodeURIComponent(id)}/decision`, { version, decision, reason })
      await list.load()
    })

  return { list: list.data, listFailure: list.failure, start: list.start, stop: list.stop, load: list.load, busy, failure, decide }
})
