import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import type { BusinessFields, CatalogueView, ChangeRow, FlowCheck, FlowProblem, FlowView } from '../../gen/protocol'
import { failureOf, type Failure } from '../lib/errors'
import type { Flow } from '../lib/flow'
import { useServer } from '../lib/server'

interface Draft { code: string; isNew: boolean; business: BusinessFields; flow: Flow; note: string }

const EMPTY_CHECK: FlowProblem[] = []
const copyOf = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T

/** How businesses are done, for those who edit it: a draft here, a change to be decided there. */
export const useCatalogue = defineStore('catalogue', () => {
  const all = ref<CatalogueView | null>(null)
  const opened = ref<FlowView | null>(null)
  const draft = ref<Draft | null>(null)
  const checked = ref<FlowCheck | null>(null)
  const handedIn = ref<ChangeRow | null>(null)
  const busy = ref<string | null>(null)
  const failure = ref<Failure | null>(null)
  /** Problems of the draft as it was looked over last. */
  const problems = computed(() => checked.value?.problems ?? EMPTY_CHECK)
  const groups = computed(() => all.value?.skill_groups ?? [])
  const kinds = computed(() => all.value?.kinds ?? [])
  const complete = computed(() => {
    if (!draft.value) return false
    const { code, business, note } = draft.value
    return /^[a-z][a-z0-9_]{0,39}$/.test(code) && note.trim() !== '' && Object.values(business).every((value) => value !== '')
  })

  async function attempt(name: string, action: () => Promise<void>): Promise<boolean> {
    busy.value = name
    failure.value = null
    try {
      await action()
      return true
    } catch (error) {
      failure.value = failureOf(error)
      const found = failure.value.fields.problems
      if (Array.isArray(found)) checked.value = { problems: found as FlowProblem[], flow: null, text: '' }
      return false
    } finally {
      busy.value = null
    }
  }

  const load = (): Promise<boolean> =>
    attempt('load', async () => {
      all.value = await useServer().http.get<CatalogueView>('/api/flows')
    })

  const open = (code: string, version?: number): Promise<boolean> =>
    attempt('open', async () => {
      const query = version === undefined ? '' : `?version=${version}`
      const view = await useServer().http.get<FlowView>(`/api/flows/${code}${query}`)
      opened.value = view
      draft.value = { code, isNew: false, business: { ...view.business }, flow: copyOf(view.flow) as unknown as Flow, note: '' }
      forget()
    })

  function forget(): void {
    checked.value = null
    handedIn.value = null
  }

  /** A new business begins as a copy of the one on the screen. */
  function copy(): void {
    if (!draft.value) return
    draft.value = { ...draft.value, code: '', isNew: true, business: { ...draft.value.business, name_zh: '', name_en: '' }, note: '' }
    opened.value = null
    forget()
  }

  function body(): { code: string; flow: Flow } {
    const { code, flow } = draft.value!
    return { code, flow: { ...flow, code } }
  }

  const check = (): Promise<boolean> =>
    attempt('check', async () => {
      const { code, flow } = body()
      checked.value = await useServer().http.post<FlowCheck>(`/api/flows/${code || 'x'}/check`, { flow: { ...flow, code: code || 'x' } })
    })

  /** The draft as text, or null when it cannot be had. */
  async function asText(): Promise<string | null> {
    return (await check()) ? checked.value!.text : null
  }

  /** Take a text over into the draft; false when it is not shaped like a flow. */
  async function fromText(text: string): Promise<boolean> {
    const read = await attempt('check', async () => {
      const code = draft.value!.code || 'x'
      checked.value = await useServer().http.post<FlowCheck>(`/api/flows/${code}/check`, { text })
    })
    if (!read || !checked.value?.flow) return false
    draft.value!.flow = checked.value.flow as unknown as Flow
    return true
  }

  async function propose(): Promise<void> {
    if (!(await check()) || problems.value.length > 0) return
    await attempt('propose', async () => {
      const { code, flow } = body()
      const { business, note } = draft.value!
      const request = { business, flow, note: note.trim(), based_on: opened.value?.newest ?? 0 }
      handedIn.value = await useServer().http.post<ChangeRow>(`/api/flows/${code}/changes`, request)
      draft.value!.note = ''
      all.value = await useServer().http.get<CatalogueView>('/api/flows')
    })
  }

  return { all, opened, draft, checked, problems, groups, kinds, handedIn, busy, failure, complete, load, open, copy, check, asText, fromText, propose }
})
