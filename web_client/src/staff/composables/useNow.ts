import { useIntervalFn } from '@vueuse/core'
import { ref, type Ref } from 'vue'

/** Local time in milliseconds, renewed often enough for a countdown. */
export function useNow(interval_ms = 250): Ref<number> {
  const now = ref(Date.now())
  useIntervalFn(() => (now.value = Date.now()), interval_ms)
  return now
}
