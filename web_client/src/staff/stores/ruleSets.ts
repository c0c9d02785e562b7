import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { RuleSetChangeRequest, RuleSetDetail, RuleSetView, RuleView, TrialView } from '../../gen/protocol'
import { failureOf, type Failure } from '../lib/errors'
import { useServer } from '../lib/server'

/** Rule sets: versions, the one on the table, its trial. */
export const useRuleSets = defineStore('ruleSets', () => {
  const versions = shallowRef<RuleSetView[] | null>(null)
  const detail = shallowRef<RuleSetDetail | null>(null)
  const trial = shallowRef<TrialView | null>(null)
  const busy = ref('')
  const failure = ref<Failure | null>(null)
  /** Why a text is no valid rule, in the server's words. */
  const reason = ref('')
  const chosen = ref('')

  const editable = computed(() => detail.value?.state === 'draft' && detail.value.mine)
  const decidable = computed(() => detail.value?.state === 'submitted' && !detail.value.mine)
  const rule = computed<RuleView | null>(() => detail.value?.rules.find((each) => each.id === chosen.value) ?? detail.value?.rules[0] ?? null)

  async function run(what: string, action: () => Promise<void>): Promise<boolean> {
    busy.value = what
    try {
      await action()
      failure.value = null
      reason.value = ''
      return true
    } catch (error) {
      failure.value = failureOf(error)
      reason.value = failure.value.code === 'rules.invalid' && error instanceof Error ? error.message : ''
      return false
    } finally {
      busy.value = ''
    }
  }

  const http = () => useServer().http
  const path = (part = '') => `/api/rule-sets/${detail.value?.id}${part}`

  async function list(): Promise<void> {
    versions.value = await http().get<RuleSetView[]>('/api/rule-sets')
  }

  function load(): Promise<boolean> {
    return run('load', async () => {
      await list()
      const first = detail.value?.id ?? versions.value?.find((each) => each.state === 'active')?.id
      if (first) detail.value = await http().get<RuleSetDetail>(`/api/rule-sets/${first}`)
    })
  }

  function open(id: string): Promise<boolean> {
    return run('load', async () => {
      detail.value = await http().get<RuleSetDetail>(`/api/rule-sets/${id}`)
      trial.value = null
    })
  }

  function draft(): Promise<boolean> {
    return run('draft', async () => {
      detail.value = await http().post<RuleSetDetail>('/api/rule-sets', { copy_of: detail.value?.id ?? null })
      trial.value = null
      await list()
    })
  }

  function change(edit: Partial<RuleSetChangeRequest>): Promise<boolean> {
    return run('change', async () => {
      detail.value = await http().put<RuleSetDetail>(path(), { version: detail.value?.version, ...edit })
      trial.value = null
      await list()
    })
  }

  function move(what: 'submit' | 'approve' | 'reject', note: string): Promise<boolean> {
    return run(what, async () => {
      detail.value = await http().post<RuleSetDetail>(path(`/${what}`), { version: detail.value?.version, note })
      await list()
    })
  }

  function tryOut(calls: number): Promise<boolean> {
    return run('trial', async () => {
      trial.value = await http().post<TrialView>(path('/trial'), { calls })
    })
  }

  return { versions, detail, trial, busy, failure, reason, chosen, rule, editable, decidable, load, open, draft, change, move, tryOut }
})
