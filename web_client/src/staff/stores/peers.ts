import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import type { PeerRow, OwnMonth } from '../../gen/protocol'
import { failureOf, type Failure } from '../lib/errors'
import { useServer } from '../lib/server'

/** The own month, and what I think of my colleagues' one. */
export const usePeers = defineStore('peers', () => {
  const month = ref('')
  const own = shallowRef<OwnMonth | null>(null)
  const colleagues = shallowRef<PeerRow[] | null>(null)
  const failure = ref<Failure | null>(null)
  const saving = ref<string | null>(null)
  /** Whose marks were stored last. */
  const saved = ref<string | null>(null)
  let asked = 0

  async function load(wanted: string): Promise<void> {
    const mine = ++asked
    month.value = wanted
    own.value = colleagues.value = null
    failure.value = saved.value = null
    const http = useServer().http
    try {
      const [of, others] = await Promise.all([http.get<OwnMonth>(`/api/own-month?month=${wanted}`), http.get<PeerRow[]>(`/api/peer-reviews?month=${wanted}`)])
      if (mine !== asked) return
      own.value = of
      colleagues.value = others
    } catch (error) {
      if (mine === asked) failure.value = failureOf(error)
    }
  }

  async function mark(teller_id: string, score: number, comment: string): Promise<void> {
    saving.value = teller_id
    failure.value = saved.value = null
    try {
      await useServer().http.post('/api/peer-reviews', { month: month.value, teller_id, score: String(score), comment })
      saved.value = teller_id
      colleagues.value = (colleagues.value ?? []).map((each) => (each.teller_id === teller_id ? { ...each, score: String(score), comment } : each))
    } catch (error) {
      failure.value = failureOf(error)
    } finally {
      saving.value = null
    }
  }

  return { month, own, colleagues, failure, saving, saved, load, mark }
})
