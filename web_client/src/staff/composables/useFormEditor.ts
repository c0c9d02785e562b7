import { useDebounceFn } from '@vueuse/core'
import { computed, ref, shallowRef, watch } from 'vue'
import type { FormBody, FormCheck, FormDetail, FormRows, ItemBody, SectionBody } from '../../gen/protocol'
import { useResource } from './useResource'

const CHECK_MS = 400

/** Forms of the house, and the one being edited: every change is checked by the server while typing. */
export function useFormEditor() {
  const rows = useResource<FormRows>(() => '/api/qa/forms')
  const opened = shallowRef<FormDetail | null>(null)
  const form = ref<FormBody | null>(null)
  const check = shallowRef<FormCheck | null>(null)
  const changed = ref(false)
  const one = useResource<FormDetail>(() => `/api/qa/forms/${opened.value?.form_version ?? ''}`)
  const probe = useResource<FormCheck>(() => '/api/qa/forms/check')
  /** A draft is edited; of any other version a new draft is made. */
  const draft = computed(() => opened.value?.state === 'draft')
  const editing = ref(false)

  function take(detail: FormDetail): void {
    opened.value = detail
    form.value = structuredClone(detail.form)
    editing.value = detail.state === 'draft'
    changed.value = false
    check.value = null
  }

  async function open(form_version: string): Promise<void> {
    opened.value = { ...(opened.value ?? {}), form_version } as FormDetail
    await one.load()
    if (one.data.value) take(one.data.value)
  }

  async function examine(): Promise<void> {
    if (form.value) check.value = await probe.send<FormCheck>('POST', '/api/qa/forms/check', { revision: 0, form: form.value })
  }
  const examineSoon = useDebounceFn(examine, CHECK_MS)
  watch(
    form,
    (_, before) => {
      if (!before || !editing.value) return
      changed.value = true
      void examineSoon()
    },
    { deep: true },
  )

  async function save(): Promise<void> {
    const revision = draft.value ? (opened.value?.revision ?? 0) : 0
    const saved = await rows.send<FormDetail>('POST', '/api/qa/forms', { revision, form: form.value })
    if (!saved) return
    take(saved)
    await rows.load()
  }

  async function activate(): Promise<void> {
    const detail = opened.value
    if (!detail) return
    const active = await rows.send<FormDetail>('POST', `/api/qa/forms/${detail.form_version}/activate`, { revision: detail.revision })
    if (!active) return
    take(active)
    await rows.load()
  }

  function addItem(section: number): void {
    const count = form.value?.sections.flatMap((each) => each.items).length ?? 0
    const fresh: ItemBody = {
      id: `item_${count + 1}`, label_zh: '', label_en: '', hint_zh: '', hint_en: '', weight: 0, bonus: false, points: 2,
      fatal: 'none', may_skip: true, comment: 'deduction', when: null, defect: 'operation', nodes: [], violations: [], businesses: [],
    }
    form.value?.sections[section]?.items.push(fresh)
  }

  function addSection(): void {
    const count = form.value?.sections.length ?? 0
    const fresh: SectionBody = { id: `section_${count + 1}`, label_zh: '', label_en: '', items: [] }
    form.value?.sections.push(fresh)
  }

  return { rows, opened, form, check, changed, draft, editing, open, save, activate, addItem, addSection }
}
