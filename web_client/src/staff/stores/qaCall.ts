import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { failureOf, type Failure } from '../lib/errors'
import { answersOf, choicesOf, totalOf, type Choice, type Choices } from '../lib/score'
import { useServer } from '../lib/server'
import { totalSeconds } from '../lib/timeline'
import type { EvaluationView, QaCallDetail } from '../lib/wire'

export type SaveState = 'clean' | 'dirty' | 'saving' | 'saved' | 'stale'

/** One call on the inspector's desk, with the evaluation being written. */
export const useQaCall = defineStore('qaCall', () => {
  const detail = shallowRef<QaCallDetail | null>(null)
  const loading = ref(false)
  const failure = ref<Failure | null>(null)
  const choices = ref<Choices>({})
  const comment = ref('')
  const save = ref<SaveState>('clean')
  const saveFailure = ref<Failure | null>(null)
  let asked = 0

  const evaluation = computed(() => detail.value?.evaluation ?? null)
  const max = computed(() => evaluation.value?.max_score ?? 100)
  const autoChoices = computed(() => choicesOf(evaluation.value?.auto_answers))
  const total = computed(() => (detail.value ? totalOf(detail.value.form, choices.value, max.value) : null))
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

  async function fetchDetail(call_id: string): Promise<QaCallDetail> {
    return useServer().http.get<QaCallDetail>(`/api/qa/calls/${encodeURIComponent(call_id)}`)
  }

  async function load(call_id: string): Promise<void> {
    const mine = ++asked
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

  function takeEvaluation(view: EvaluationView | null): void {
    choices.value = choicesOf(view?.answers)
    comment.value = view?.comment ?? ''
    save.value = 'clean'
    saveFailure.value = null
  }

  function touch(): void {
    if (save.value !== 'stale') save.value = 'dirty'
  }

  function choose(item_id: string, choice: Choice): void {
    choices.value = { ...choices.value, [item_id]: choice }
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

  /** Save. When somebody else was faster nothing is lost: `save` becomes `stale`. */
  async function submit(): Promise<boolean> {
    const call = detail.value
    if (!call?.evaluation || save.value === 'saving') return false
    save.value = 'saving'
    saveFailure.value = null
    const body = { version: call.evaluation.version, answers: answersOf(choices.value), comment: comment.value }
    try {
      const path = `/api/qa/calls/${encodeURIComponent(call.call_id)}/evaluation`
      const view = await useServer().http.put<EvaluationView>(path, body)
      if (detail.value?.call_id !== call.call_id) return true
      detail.value = { ...detail.value, evaluation: view, score: view.score, fatal: view.fatal, evaluation_state: view.state }
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

  return {
    detail, loading, failure, choices, comment, save, saveFailure, evaluation, max, autoChoices, total, duration_s,
    findings, processing, unsaved, load, refresh, choose, takeAuto, setComment, submit, reload, saveOver,
  }
})
