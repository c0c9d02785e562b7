import { defineStore } from 'pinia'
import { ref } from 'vue'
import type { ArticleHit, ArticleProposalRequest, ArticleVersionView, ArticleView } from '../../gen/protocol'
import { failureOf, type Failure } from '../lib/errors'
import { useServer } from '../lib/server'

/** The knowledge base: search, read, propose, and for editors decide. */
export const useKnowledge = defineStore('knowledge', () => {
  const question = ref('')
  const hits = ref<ArticleHit[] | null>(null)
  const article = ref<ArticleView | null>(null)
  const versions = ref<ArticleVersionView[] | null>(null)
  const proposals = ref<ArticleVersionView[] | null>(null)
  const failure = ref<Failure | null>(null)
  const busy = ref(false)
  let asked = 0

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

  /** Answers may overtake each other while somebody types: only the newest question's is shown. */
  async function search(business: string | null): Promise<void> {
    const mine = ++asked
    await attempt(async () => {
      const query = new URLSearchParams({ q: question.value.trim(), ...(business ? { business } : {}) })
      const found = await http().get<ArticleHit[]>(`/api/articles?${query.toString()}`)
      if (mine === asked) hits.value = found
    })
  }

  const open = (id: string) =>
    attempt(async () => {
      article.value = await http().get<ArticleView>(`/api/articles/${id}`)
      versions.value = null
    })
  const loadVersions = (id: string) =>
    attempt(async () => {
      versions.value = await http().get<ArticleVersionView[]>(`/api/articles/${id}/versions`)
    })
  const propose = (request: ArticleProposalRequest) =>
    attempt(async () => {
      await http().post('/api/article-proposals', request)
    })
  const loadProposals = () =>
    attempt(async () => {
      proposals.value = await http().get<ArticleVersionView[]>('/api/article-proposals')
    })
  const decide = (id: string, publish: boolean, verdict: string) =>
    attempt(async () => {
      await http().post(`/api/article-proposals/${id}/decision`, { publish, verdict })
      proposals.value = await http().get<ArticleVersionView[]>('/api/article-proposals')
    })

  return { question, hits, article, versions, proposals, failure, busy, search, open, loadVersions, propose, loadProposals, decide }
})
