import { useIntervalFn } from '@vueuse/core'
import { ref, type Ref } from 'vue'

/** The time in ms, moving once a second while the component lives. */
export function useNow(): Ref<number> {
  const now = ref(Date.now())
  useIntervalFn(() => (now.value = Date.now()), 1000)
  return now
}
