import { defineStore } from 'pinia'
import { computed, reactive, ref, shallowRef, watch } from 'vue'
import type { Business } from '@shared/protocol'
import { failureOf, type Failure } from '../lib/errors'
import { useServer } from '../lib/server'
import type { QaCallPage } from '../lib/wire'

export interface QaFilter {
  state: string
  business: string
  flag: string
  page: number
}

export function queryOf(filter: QaFilter): string {
  const query = new URLSearchParams()
  for (const key of ['state', 'business', 'flag'] as const) if (filter[key]) query.set(key, filter[key])
  query.set('page', String(filter.page))
  return query.toString()
}

/** The inspector's list of finished calls. */
export const useQaList = defineStore('qaList', () => {
  const filter = reactive<QaFilter>({ state: '', business: '', flag: '', page: 1 })
  const answer = shallowRef<QaCallPage | null>(null)
  const businesses = shallowRef<Business[]>([])
  const loading = ref(false)
  const failure = ref<Failure | null>(null)
  /** Flags seen so far, to choose from. */
  const flags = ref<string[]>([])
  let asked = 0

  const filtered = computed(() => filter.state !== '' || filter.business !== '' || filter.flag !== '')

  async function load(): Promise<void> {
    const mine = ++asked
    loading.value = true
    try {
      const got = await useServer().http.get<QaCallPage>(`/api/qa/calls?${queryOf(filter)}`)
      if (mine !== asked) return
      answer.value = got
      failure.value = null
      flags.value = [...new Set([...flags.value, ...got.items.flatMap((row) => row.flags)])].sort()
    } catch (error) {
      if (mine === asked) failure.value = failureOf(error)
    } finally {
      if (mine === asked) loading.value = false
    }
  }

  /** Names of businesses; the list works with codes alone when they cannot be had. */
  async function loadBusinesses(): Promise<void> {
    if (businesses.value.length > 0) return
    businesses.value = await useServer()
      .http.get<Business[]>('/api/businesses')
      .catch(() => [])
  }

  function clear(): void {
    Object.assign(filter, { state: '', business: '', flag: '' })
  }

  /** The call after this one on the current page. */
  function after(call_id: string): string | null {
    const items = answer.value?.items ?? []
    const at = items.findIndex((row) => row.call_id === call_id)
    return at < 0 ? null : (items[at + 1]?.call_id ?? null)
  }

  watch(
    () => [filter.state, filter.business, filter.flag],
    () => {
      if (filter.page === 1) void load()
      else filter.page = 1
    },
  )
  watch(
    () => filter.page,
    () => void load(),
  )

  return { filter, answer, businesses, loading, failure, flags, filtered, load, loadBusinesses, clear, after }
})
