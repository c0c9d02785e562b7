import { defineStore } from 'pinia'
import { computed, reactive, ref } from 'vue'
import type { AuditPage, AuditRow } from '../../gen/protocol'
import { failureOf, type Failure } from '../lib/errors'
import { useServer } from '../lib/server'

/** The audit log, newest first. */
export const useAudit = defineStore('audit', () => {
  const filter = reactive({ who: '', what: '', object_id: '', words: '', first: '', last: '' })
  const items = ref<AuditRow[] | null>(null)
  const next = ref(0)
  const loading = ref(false)
  const failure = ref<Failure | null>(null)
  const query = computed(() => new URLSearchParams(Object.entries(filter).filter(([, value]) => value !== '')))
  const exportUrl = computed(() => `/api/audit/export?${query.value}`)

  async function load(more = false): Promise<void> {
    loading.value = true
    failure.value = null
    const asked = new URLSearchParams(query.value)
    if (more) asked.set('before', String(next.value))
    try {
      const page = await useServer().http.get<AuditPage>(`/api/audit?${asked}`)
      items.value = more ? [...(items.value ?? []), ...page.items] : page.items
      next.value = page.next
    } catch (error) {
      failure.value = failureOf(error)
    } finally {
      loading.value = false
    }
  }

  return { filter, items, next, loading, failure, exportUrl, load }
})
