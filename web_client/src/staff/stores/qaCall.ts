import { useTimeoutFn } from '@vueuse/core'
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { failureOf, type Failure } from '../lib/errors'
import { answersOf, choicesOf, commentsOf, isAsked, itemsOf, owesComment, totalOf, type Choice, type Choices, type Comments } from '../lib/score'
import { useServer } from '../lib/server'
import { totalSeconds } from '../lib/timeline'
import type { EvaluationView, QaCallDetail, QaFinding } from '../lib/wire'
import { useSession } from './session'

/** `draft`: typed, kept by the server, not handed in. */
export type SaveState = 'clean' | 'dirty' | 'draft' | 'saving' | 'saved' | 'stale'
export type FindingVerdict = QaFinding['verdict']

const AUTOSAVE_MS = 1200

/** One call on the inspector's desk, with the evaluation being written. */
export const useQaCall = defineStore('qaCall', () => {
  const session = useSession()
  const detail = shallowRef<QaCallDetail | null>(null)
  const loading = ref(false)
  const failure = ref<Failure | null>(null)
  const choices = ref<Choices>({})
  const comments = ref<Comments>({})
  const comment = ref('')
  const save = ref<SaveState>('clean')
  const saveFailure = ref<Failure | null>(null)
  let asked = 0
  let drafting: Promise<void> | null = null

  const evaluation = computed(() => detail.value?.evaluation ?? null)
  const max = computed(() => evaluation.value?.max_score ?? 100)
  const autoChoices = computed(() => choicesOf(evaluation.value?.auto_answers))
  const total = computed(() => (detail.value ? totalOf(detail.value.form, choices.value, max.value) : null))
  /** Items that count for this call, given the answers so far. */
  const items = computed(() => {
    const form = detail.value?.form
    return form ? itemsOf(form).filter((item) => isAsked(form, item, choices.value)) : []
  })
  const unanswered = computed(() => items.value.filter((item) => choices.value[item.id] === undefined))
  const silent = computed(() =>
    items.value.filter((item) => owesComment(item, choices.value[item.id]) && !comments.value[item.id]?.trim()),
  )
  /** Whether this person may write here now: an inspector, nobody else's task, not yet released. */
  const editable = computed(() => {
    const view = evaluation.value
    const task = detail.value?.task
    const roles = session.staff?.roles ?? ['inspector']
    return (
      view !== null &&
      roles.includes('inspector') &&
      ['pending', 'submitted'].includes(view.state) &&
      (!task || task.mine || task.inspector_name === null)
    )
  })
  const duration_s = computed(() => {
    const files = totalSeconds(detail.value?.files ?? [], detail.value?.recording?.gaps)
    return files > 0 ? files : (detail.value?.duration_s ?? 0)
  })
  const findings = computed(() =>
    // What was never said has no time: first, where nobody overlooks it.
    [...(detail.value?.findings ?? [])].sort((a, b) => (a.at_s ?? -1) - (b.at_s ?? -1)),
  )
  /** Something is still on its way, so that asking again makes sense. */
  const processing = computed(() => {
    const call = detail.value
    if (!call) return false
    const recording = ['capturing', 'captured'].includes(call.recording?.state ?? '')
    return recording || call.transcript_state === 'running' || (call.recording !== null && call.evaluation === null)
  })
  const unsaved = computed(() => save.value === 'dirty' || save.value === 'stale')
  const autosave = useTimeoutFn(() => void keepDraft(), AUTOSAVE_MS, { immediate: false })

  const pathOf = (call_id: string): string => `/api/qa/calls/${encodeURIComponent(call_id)}`
  const fetchDetail = (call_id: string): Promise<QaCallDetail> => useServer().http.get<QaCallDetail>(pathOf(call_id))

  async function load(call_id: string): Promise<void> {
    const mine = ++asked
    autosave.stop()
    loading.value = true
    failure.value = null
    if (detail.value?.call_id !== call_id) detail.value = null
    try {
      const got = await fetchDetail(call_id)
      if (mine !== asked) return
      detail.value = got
      takeEvaluation(got.evaluation)
    } catch (error) {
      if (mine === asked) failure.value = failureOf(error)
    } finally {
      if (mine === asked) loading.value = false
    }
  }

  /** Look again without disturbing what is being written. */
  async function refresh(): Promise<void> {
    const call_id = detail.value?.call_id
    if (!call_id || save.value === 'saving') return
    const mine = asked
    const got = await fetchDetail(call_id).catch(() => null)
    if (!got || mine !== asked) return
    const untouched = save.value === 'clean' || save.value === 'saved'
    const before = detail.value?.evaluation
    detail.value = untouched || !before ? got : { ...got, evaluation: before }
    if (untouched && before?.version !== got.evaluation?.version) takeEvaluation(got.evaluation)
  }

  /** A draft goes on where it was left, in whatever browser. */
  function takeEvaluation(view: EvaluationView | null): void {
    const source = view?.draft ?? view
    choices.value = choicesOf(source?.answers)
    comments.value = commentsOf(source?.answers)
    comment.value = source?.comment ?? ''
    save.value = view?.draft ? 'draft' : 'clean'
    saveFailure.value = null
  }

  function touch(): void {
    if (save.value === 'stale') return
    save.value = 'dirty'
    autosave.start()
  }

  function choose(item_id: string, choice: Choice): void {
    choices.value = { ...choices.value, [item_id]: choice }
    touch()
  }

  function explain(item_id: string, text: string): void {
    comments.value = { ...comments.value, [item_id]: text }
    touch()
  }

  /** Items the inspector has not judged take the machine's answer. */
  function takeAuto(): void {
    choices.value = { ...autoChoices.value, ...choices.value }
    touch()
  }

  function setComment(text: string): void {
    comment.value = text
    touch()
  }

  function body() {
    return {
      version: detail.value?.evaluation?.version ?? 0,
      answers: answersOf(choices.value, comments.value),
      comment: comment.value,
    }
  }

  function takeView(call_id: string, view: EvaluationView): void {
    const call = detail.value
    if (call?.call_id !== call_id) return
    detail.value = { ...call, evaluation: view, score: view.score, fatal: view.fatal, evaluation_state: view.state }
  }

  /** Let the server keep what is typed. Changes made meanwhile start the clock again. */
  function keepDraft(): Promise<void> {
    drafting ??= writeDraft().finally(() => {
      drafting = null
    })
    return drafting
  }

  async function writeDraft(): Promise<void> {
    const call_id = detail.value?.call_id
    if (!call_id || save.value !== 'dirty' || !editable.value) return
    save.value = 'draft'
    try {
      const view = await useServer().http.put<EvaluationView>(`${pathOf(call_id)}/draft`, body())
      takeView(call_id, view)
      saveFailure.value = null
    } catch (error) {
      const why = failureOf(error)
      save.value = why.code === 'evaluation.stale' ? 'stale' : 'dirty'
      saveFailure.value = why
    }
  }

  /** Hand in. When somebody else was faster nothing is lost: `save` becomes `stale`. */
  async function submit(): Promise<boolean> {
    autosave.stop()
    await drafting
    const call = detail.value
    if (!call?.evaluation || save.value === 'saving' || save.value === 'stale') return false
    save.value = 'saving'
    saveFailure.value = null
    try {
      const view = await useServer().http.put<EvaluationView>(`${pathOf(call.call_id)}/evaluation`, body())
      if (detail.value?.call_id !== call.call_id) return true
      takeView(call.call_id, view)
      takeEvaluation(view)
      save.value = 'saved'
      return true
    } catch (error) {
      const why = failureOf(error)
      save.value = why.code === 'evaluation.stale' ? 'stale' : 'dirty'
      saveFailure.value = why
      return false
    }
  }

  /** After a conflict: the other one's evaluation, mine dropped. */
  async function reload(): Promise<void> {
    if (detail.value) await load(detail.value.call_id)
  }

  /** After a conflict: mine, on top of the latest version. */
  async function saveOver(): Promise<boolean> {
    const call = detail.value
    if (!call) return false
    try {
      const latest = await fetchDetail(call.call_id)
      detail.value = latest
      save.value = 'dirty'
      return await submit()
    } catch (error) {
      saveFailure.value = failureOf(error)
      return false
    }
  }

  /** Let the teller see it. */
  async function release(): Promise<boolean> {
    const call = detail.value
    if (call?.evaluation?.state !== 'submitted') return false
    saveFailure.value = null
    try {
      await useServer().http.post(`${pathOf(call.call_id)}/release`, { version: call.evaluation.version })
      await load(call.call_id)
      return true
    } catch (error) {
      saveFailure.value = failureOf(error)
      return false
    }
  }

  /** Confirm or reject a machine's finding; the same again takes it back. */
  async function judge(finding_id: string, verdict: FindingVerdict): Promise<boolean> {
    const call = detail.value
    const before = call?.findings.find((each) => each.id === finding_id)
    if (!call || !before) return false
    const wanted = before.verdict === verdict ? null : verdict
    const put = (value: FindingVerdict) => {
      if (detail.value?.call_id !== call.call_id) return
      const changed = detail.value.findings.map((each) => (each.id === finding_id ? { ...each, verdict: value } : each))
      detail.value = { ...detail.value, findings: changed }
    }
    put(wanted)
    try {
      await useServer().http.put(`/api/qa/findings/${encodeURIComponent(finding_id)}/verdict`, { verdict: wanted })
      return true
    } catch (error) {
      put(before.verdict)
      saveFailure.value = failureOf(error)
      return false
    }
  }

  return {
    detail, loading, failure, choices, comments, comment, save, saveFailure, evaluation, max, autoChoices, total, items,
    unanswered, silent, editable, duration_s, findings, processing, unsaved, load, refresh, choose, explain, takeAuto,
    setComment, keepDraft, submit, reload, saveOver, release, judge,
  }
})
