import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import type { AuthorisationRow, ChangeDetail, ChangeRow, FlowProblem, ReviewRulesView } from '../../gen/protocol'
import { failureOf, type Failure } from '../lib/errors'
import { useServer } from '../lib/server'

export interface ReviewRule {
  reason: string
  business: string
  customer_class: string
  amount_from_fen: number
  day_total_from_fen: number
  level: number
  written_reason: boolean
  label_zh: string
  label_en: string
}

/** Changes that a second person decides, and two things that change only so: review rules and authorisation levels. */
export const useChanges = defineStore('changes', () => {
  const rows = ref<ChangeRow[] | null>(null)
  const open = ref<ChangeDetail | null>(null)
  const rules = ref<{ version: number; rules: ReviewRule[] } | null>(null)
  const levels = ref<AuthorisationRow[] | null>(null)
  const handedIn = ref<ChangeRow | null>(null)
  const problems = ref<FlowProblem[]>([])
  const busy = ref(false)
  const failure = ref<Failure | null>(null)
  const waiting = computed(() => rows.value?.filter((row) => row.state === 'waiting').length ?? 0)

  async function attempt(action: () => Promise<void>): Promise<boolean> {
    busy.value = true
    failure.value = null
    problems.value = []
    try {
      await action()
      return true
    } catch (error) {
      failure.value = failureOf(error)
      const found = failure.value.fields.problems
      problems.value = Array.isArray(found) ? (found as FlowProblem[]) : []
      return false
    } finally {
      busy.value = false
    }
  }

  async function fetchRows(): Promise<void> {
    rows.value = await useServer().http.get<ChangeRow[]>('/api/changes')
  }

  const load = (): Promise<boolean> => attempt(fetchRows)
  const view = (id: string): Promise<boolean> =>
    attempt(async () => {
      open.value = await useServer().http.get<ChangeDetail>(`/api/changes/${id}`)
    })
  const decide = (approve: boolean, note: string): Promise<boolean> =>
    attempt(async () => {
      open.value = await useServer().http.post<ChangeDetail>(`/api/changes/${open.value!.id}/decision`, { approve, note })
      await fetchRows()
    })
  const withdraw = (): Promise<boolean> =>
    attempt(async () => {
      open.value = await useServer().http.post<ChangeDetail>(`/api/changes/${open.value!.id}/withdrawal`, {})
      await fetchRows()
    })

  const loadRules = (): Promise<boolean> =>
    attempt(async () => {
      const view = await useServer().http.get<ReviewRulesView>('/api/review-rules')
      rules.value = { version: view.version, rules: view.rules as unknown as ReviewRule[] }
      handedIn.value = null
    })
  const loadLevels = (): Promise<boolean> =>
    attempt(async () => {
      levels.value = await useServer().http.get<AuthorisationRow[]>('/api/authorisations')
      handedIn.value = null
    })

  async function propose(path: string, body: unknown): Promise<boolean> {
    return attempt(async () => {
      handedIn.value = await useServer().http.post<ChangeRow>(path, body)
      await fetchRows()
    })
  }
  const proposeRules = (note: string): Promise<boolean> =>
    propose('/api/review-rules/changes', { rules: rules.value!.rules, note, based_on: rules.value!.version })
  const proposeLevel = (row: AuthorisationRow, level: number, note: string): Promise<boolean> =>
    propose(`/api/authorisations/${row.staff_id}/changes`, { level, note, based_on: row.level })

  return { rows, open, rules, levels, handedIn, problems, busy, failure, waiting, load, view, decide, withdraw, loadRules, loadLevels, proposeRules, proposeLevel }
})
