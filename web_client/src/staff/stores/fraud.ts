import { defineStore } from 'pinia'
import { computed } from 'vue'
import type { FraudView } from '../../gen/protocol'
import { polled, useAttempt } from '../lib/polled'
import { useServer } from '../lib/server'
import { useConsole } from './console'
import { useSession } from './session'

export interface FraudDecision {
  outcome: 'continue' | 'delay' | 'stop' | 'report'
  reason: string
  told: string
  delay_h: number | null
}

/** Fraud alerts: of the teller's own call, or of all calls for supervisors. */
export const useFraud = defineStore('fraud', () => {
  const console_ = useConsole()
  const session = useSession()
  const all = computed(() => session.staff?.roles.includes('supervisor') ?? false)
  const callId = computed(() => console_.call?.call_id ?? null)
  const list = polled<FraudView[]>(async () => {
    if (all.value) return useServer().http.get<FraudView[]>('/api/fraud-alerts')
    if (callId.value === null) return []
    return useServer().http.get<FraudView[]>(`/api/calls/${encodeURIComponent(callId.value)}/fraud-alerts`)
  })
  const { busy, failure, attempt } = useAttempt()
  const undecided = computed(() => (list.data.value ?? []).filter((alert) => alert.state !== 'decided'))

  const post = (name: string, path: string, body: unknown): Promise<boolean> =>
    attempt(name, async () => {
      await useServer().http.post(path, body)
      await list.load()
    })

  const raise = (words: string): Promise<boolean> => post('raise', `/api/calls/${encodeURIComponent(callId.value ?? '')}/fraud-alerts`, { words })

  const assess = ({ id, version }: FraudView, assessment: string): Promise<boolean> =>
    post('assess', `/api/fraud-alerts/${encodeURIComponent(id)}/assessment`, { version, assessment })

  const decide = ({ id, version }: FraudView, decision: FraudDecision): Promise<boolean> =>
    post(decision.outcome, `/api/fraud-alerts/${encodeURIComponent(id)}/decision`, { version, ...decision })

  return { alerts: list.data, listFailure: list.failure, start: list.start, stop: list.stop, load: list.load, undecided, all, callId, busy, failure, raise, assess, decide }
})
