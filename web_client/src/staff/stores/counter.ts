import type { Off } from '@shared/emitter'
import { openStep, type BusinessChoice, type CaseView } from '@shared/counter'
import { defineStore } from 'pinia'
import { computed, ref, watch } from 'vue'
import { failureOf, type Failure } from '../lib/errors'
import { useServer } from '../lib/server'
import { useConsole } from './console'

/** Business in the teller's call: what the server says of the case, and what the teller does in it. */
export const useCounter = defineStore('counter', () => {
  const console_ = useConsole()
  const view = ref<CaseView | null>(null)
  const choices = ref<BusinessChoice[]>([])
  const loading = ref(false)
  const busy = ref<string | null>(null)
  const failure = ref<Failure | null>(null)
  /** The server cannot be asked what there is: nothing is shown instead of something old. */
  const lost = ref(false)
  let offs: Off[] = []

  const callId = computed(() => (console_.screen === 'call' ? console_.call!.call_id : null))
  const open = computed(() => openStep(view.value))
  const running = computed(() => view.value?.state === 'running')
  /** The server refuses business while nothing is recorded; in a call's first moments the recording has yet to begin. */
  const recorded = computed(() => console_.call?.recording_ok === true && console_.call.recording_state === 'capturing')
  /** A step that is the teller's to do, for the mark at the tab. */
  const mine = computed(() => (open.value && open.value.state === 'active' && open.value.actions.length > 0 ? 1 : 0))

  function take(next: CaseView | null): void {
    if (next && view.value && next.case_id === view.value.case_id && next.version < view.value.version) return
    view.value = next
  }

  async function load(): Promise<void> {
    const call_id = callId.value
    if (call_id === null) return
    loading.value = view.value === null
    try {
      const answer = await useServer().socket.request('counter.get', { call_id })
      if (callId.value !== call_id) return
      take(answer.case)
      choices.value = answer.choices
      lost.value = false
    } catch (error) {
      failure.value = failureOf(error)
      lost.value = view.value === null
    } finally {
      loading.value = false
    }
  }

  /** Listen for the call's business as long as the teller is signed in. */
  function listen(): void {
    if (offs.length > 0) return
    const { socket } = useServer()
    offs = [
      socket.on('counter.state', ({ call_id, case: next }) => {
        if (call_id === callId.value) take(next)
      }),
      socket.link.on('resumed', () => void load()),
    ]
  }

  watch(
    callId,
    (now, before) => {
      if (now === before) return
      view.value = null
      choices.value = []
      failure.value = null
      if (now === null) return
      listen()
      void load()
    },
    { immediate: true },
  )

  async function attempt(name: string, action: () => Promise<{ case: CaseView | null }>): Promise<boolean> {
    if (busy.value !== null) return false
    busy.value = name
    failure.value = null
    try {
      take((await action()).case)
      return true
    } catch (error) {
      failure.value = failureOf(error)
      if (failure.value.code === 'case.stale') await load()
      return false
    } finally {
      busy.value = null
    }
  }

  const start = (business_code: string): Promise<boolean> =>
    attempt('start', () => useServer().socket.request('counter.start', { call_id: callId.value ?? '', business_code }))

  const act = (step: string, action: string, inputs: Record<string, unknown> = {}): Promise<boolean> =>
    attempt(action, () => {
      const { case_id, version } = view.value!
      return useServer().socket.request('counter.act', { case_id, version, step, action, inputs })
    })

  /** Hands in a paper for the customer, e.g. one that came by the chat. */
  const upload = (step: string, code: string, file: File): Promise<boolean> =>
    attempt('upload', async () => {
      const query = new URLSearchParams({ step, code, source: 'file' })
      await useServer().http.upload(`/api/staff/cases/${view.value!.case_id}/documents?${query}`, file)
      return useServer().socket.request('counter.get', { call_id: callId.value ?? '' })
    })

  /** A file handed in with the booking becomes one of this case. */
  const takeEarly = (early_id: string, step: string): Promise<boolean> =>
    attempt('upload', async () => {
      await useServer().http.post(`/api/early-documents/${early_id}/take`, { case_id: view.value!.case_id, step })
      return useServer().socket.request('counter.get', { call_id: callId.value ?? '' })
    })

  const back = (step: string, reason: string): Promise<boolean> =>
    attempt('back', () => {
      const { case_id, version } = view.value!
      return useServer().socket.request('counter.back', { case_id, version, step, reason })
    })

  const cancel = (reason: string): Promise<boolean> =>
    attempt('cancel', () => {
      const { case_id, version } = view.value!
      return useServer().socket.request('counter.cancel', { case_id, version, reason })
    })

  return { callId, view, choices, loading, busy, failure, lost, open, running, recorded, mine, load, start, act, upload, takeEarly, back, cancel }
})
