import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import type { PracticeLine, PracticeResult, PracticeSample } from '../../gen/protocol'
import { failureOf, type Failure } from '../lib/errors'
import { useServer } from '../lib/server'

/** A practised call: lines said so far, and what the script checker makes of them. The newest answer counts. */
export const usePractice = defineStore('practice', () => {
  const samples = ref<PracticeSample[]>([])
  const sample = ref<PracticeSample | null>(null)
  const business = ref('account_opening')
  const lines = ref<PracticeLine[]>([])
  const result = ref<PracticeResult | null>(null)
  const failure = ref<Failure | null>(null)
  const checking = ref(false)
  let asked = 0

  const next = computed(() => sample.value?.lines[lines.value.length] ?? null)
  const missing = computed(() => (result.value?.nodes ?? []).filter((node) => node.required && node.line === null).length)

  async function load(): Promise<void> {
    failure.value = null
    try {
      samples.value = await useServer().http.get<PracticeSample[]>('/api/practice/samples')
    } catch (error) {
      failure.value = failureOf(error)
      return
    }
    await check()
  }

  async function check(): Promise<void> {
    const mine = ++asked
    checking.value = true
    failure.value = null
    try {
      const body = { business_code: business.value, lines: lines.value }
      const got = await useServer().http.post<PracticeResult>('/api/practice/check', body)
      if (mine === asked) result.value = got
    } catch (error) {
      if (mine === asked) failure.value = failureOf(error)
    } finally {
      if (mine === asked) checking.value = false
    }
  }

  function choose(id: string): void {
    sample.value = samples.value.find((each) => each.id === id) ?? null
    if (sample.value) business.value = sample.value.business_code
    restart()
  }

  function restart(): void {
    lines.value = []
    void check()
  }

  function say(line: PracticeLine): void {
    lines.value = [...lines.value, line]
    void check()
  }

  function undo(): void {
    lines.value = lines.value.slice(0, -1)
    void check()
  }

  /** The sample's next sentence; false when it is over. */
  function replay(): boolean {
    if (next.value) say(next.value)
    return next.value !== null
  }

  return { samples, sample, business, lines, result, failure, checking, next, missing, load, check, choose, restart, say, undo, replay }
})
