import { defineStore } from 'pinia'
import { computed } from 'vue'
import type { TaskList } from '../../gen/protocol'
import { useResource } from '../composables/useResource'

/** The inspector's queue, shared by the list and the review screen. */
export const useQaQueue = defineStore('qaQueue', () => {
  const resource = useResource<TaskList>(() => '/api/qa/tasks')
  const items = computed(() => resource.data.value?.items ?? [])
  const doneToday = computed(() => resource.data.value?.done_today ?? 0)
  const loaded = computed(() => resource.data.value !== null)

  /** The most urgent case that is not this one. */
  function next(call_id: string): string | null {
    return items.value.find((row) => row.call_id !== call_id)?.call_id ?? null
  }

  return { items, doneToday, loaded, failure: resource.failure, load: resource.load, next }
})
