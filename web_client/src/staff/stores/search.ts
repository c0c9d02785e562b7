import { defineStore } from 'pinia'
import { reactive, ref, shallowRef } from 'vue'
import type { SearchHit, SearchPage } from '../../gen/protocol'
import { failureOf, type Failure } from '../lib/errors'
import { useServer } from '../lib/server'

export interface SearchFilter {
  q: string
  by: 'text' | 'sound'
  party: '' | 'customer' | 'teller'
  business: string
  /** Days back from now; 0 is all time. */
  days: number
}

export function searchQuery(filter: SearchFilter, after: string, now: number): string {
  const query = new URLSearchParams({ q: filter.q.trim(), by: filter.by })
  for (const key of ['party', 'business'] as const) if (filter[key]) query.set(key, filter[key])
  if (filter.days > 0) query.set('since', new Date(now - filter.days * 86_400_000).toISOString())
  if (after) query.set('after', after)
  return query.toString()
}

/** A snippet in pieces, the found ones marked. */
export function pieces(hit: Pick<SearchHit, 'snippet' | 'marks'>): { text: string; found: boolean }[] {
  const out: { text: string; found: boolean }[] = []
  let at = 0
  for (const [from, to] of hit.marks as [number, number][]) {
    if (from > at) out.push({ text: hit.snippet.slice(at, from), found: false })
    out.push({ text: hit.snippet.slice(from, to), found: true })
    at = to
  }
  if (at < hit.snippet.length) out.push({ text: hit.snippet.slice(at), found: false })
  return out
}

/** What was said, over all calls. */
export const useSearch = defineStore('search', () => {
  const filter = reactive<SearchFilter>({ q: '', by: 'text', party: '', business: '', days: 0 })
  const hits = shallowRef<SearchHit[] | null>(null)
  const next = ref('')
  const loading = ref(false)
  const failure = ref<Failure | null>(null)
  let asked = 0

  async function load(more = false): Promise<void> {
    if (!filter.q.trim()) {
      hits.value = null
      return
    }
    const mine = ++asked
    loading.value = true
    try {
      const query = searchQuery(filter, more ? next.value : '', Date.now())
      const page = await useServer().http.get<SearchPage>(`/api/qa/search?${query}`)
      if (mine !== asked) return
      hits.value = more ? [...(hits.value ?? []), ...page.items] : page.items
      next.value = page.next
      failure.value = null
    } catch (error) {
      if (mine === asked) failure.value = failureOf(error)
    } finally {
      if (mine === asked) loading.value = false
    }
  }

  return { filter, hits, next, loading, failure, load }
})
