import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import type { BusinessFields, FlowCheck, FlowRow, FlowView } from '../../gen/protocol'
import { failureOf, type Failure } from '../lib/errors'
import { useServer } from '../lib/server'

const EMPTY: BusinessFields = {
  name_zh: '', name_en: '', hint_zh: '', hint_en: '', skill_group: 'personal', recording_required: true, enabled: false,
}

/** How businesses are done, for those who edit it. */
export const useCatalogue = defineStore('catalogue', () => {
  const rows = ref<FlowRow[] | null>(null)
  const opened = ref<FlowView | null>(null)
  const draft = ref<{ code: string; isNew: boolean; business: BusinessFields; text: string; note: string } | null>(null)
  const checked = ref<FlowCheck | null>(null)
  const saved = ref<number | null>(null)
  const busy = ref<string | null>(null)
  const failure = ref<Failure | null>(null)
  const newest = computed(() => Math.max(0, ...(opened.value?.history.map((version) => version.version) ?? [])))
  const complete = computed(() => {
    const { code, business, note } = draft.value ?? { code: '', business: EMPTY, note: '' }
    return /^[a-z][a-z_]{0,39}$/.test(code) && note.trim() !== '' && Object.values(business).every((value) => value !== '')
  })

  async function attempt(name: string, action: () => Promise<void>): Promise<boolean> {
    busy.value = name
    failure.value = null
    try {
      await action()
      return true
    } catch (error) {
      failure.value = failureOf(error)
      return false
    } finally {
      busy.value = null
    }
  }

  const load = (): Promise<boolean> =>
    attempt('load', async () => {
      rows.value = await useServer().http.get<FlowRow[]>('/api/flows')
    })

  const open = (code: string, version?: number): Promise<boolean> =>
    attempt('open', async () => {
      const query = version === undefined ? '' : `?version=${version}`
      const view = await useServer().http.get<FlowView>(`/api/flows/${code}${query}`)
      opened.value = view
      draft.value = { code, isNew: false, business: { ...view.business }, text: view.text, note: '' }
      checked.value = null
      saved.value = null
    })

  /** A new business begins as a copy of the one on the screen. */
  function copy(): void {
    if (!draft.value) return
    draft.value = { code: '', isNew: true, business: { ...draft.value.business, enabled: false }, text: draft.value.text, note: '' }
    opened.value = null
    checked.value = null
    saved.value = null
  }

  /** The code of a new business is also written in its text. */
  function textOf(): string {
    const { code, isNew, text } = draft.value!
    return isNew ? text.replace(/^code:.*$/m, `code: ${code}`) : text
  }

  const check = (): Promise<boolean> =>
    attempt('check', async () => {
      const { code } = draft.value!
      checked.value = await useServer().http.post<FlowCheck>(`/api/flows/${code}/check`, { text: textOf() })
    })

  async function save(): Promise<void> {
    if (!(await check()) || checked.value === null || checked.value.problems.length > 0) return
    await attempt('save', async () => {
      const { code, business, note } = draft.value!
      const body = { business, text: textOf(), note: note.trim(), based_on: newest.value }
      const view = await useServer().http.put<FlowView>(`/api/flows/${code}`, body)
      opened.value = view
      draft.value = { code, isNew: false, business: { ...view.business }, text: view.text, note: '' }
      saved.value = view.version
      rows.value = await useServer().http.get<FlowRow[]>('/api/flows')
    })
  }

  return { rows, opened, draft, checked, saved, busy, failure, complete, load, open, copy, check, save }
})
