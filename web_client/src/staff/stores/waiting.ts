import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import type { WaitingItem, WaitingView } from '../../gen/protocol'
import { useServer } from '../lib/server'

export interface Waiting {
  count: number
  overdue: number
}

/** What waits for this person in inspection, by page and by tab. A count that cannot be fetched stays as it was. */
export const useWaiting = defineStore('waiting', () => {
  const items = ref<WaitingItem[]>([])
  const byPage = computed(() => sums((item) => item.page))
  const byTab = computed(() => sums((item) => `${item.page}/${item.tab}`))

  function sums(key: (item: WaitingItem) => string): Record<string, Waiting> {
    const found: Record<string, Waiting> = {}
    for (const item of items.value) {
      const sum = (found[key(item)] ??= { count: 0, overdue: 0 })
      sum.count += item.count
      sum.overdue += item.overdue
    }
    return found
  }

  async function load(): Promise<void> {
    const got = await useServer()
      .http.get<WaitingView>('/api/my/waiting')
      .catch(() => null)
    if (got) items.value = got.items
  }

  return { items, byPage, byTab, load }
})
