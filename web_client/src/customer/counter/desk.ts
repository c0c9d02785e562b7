import { reactive, ref } from 'vue'
import { openStep, type CaseView, type FieldSpec, type Value } from '@shared/counter'
import { ApiError, errorCode, errorFromBody } from '@shared/errors'
import type { DemoHelp } from '../../gen/protocol'
import type { CustomerSocket } from '../visit/callRoom'

export interface CounterDeskState {
  view: CaseView | null
  busy: boolean
  /** Code of what went wrong last, and its facts. */
  error: string | null
  fields: Record<string, unknown>
}

export interface PrefillForm {
  fields: FieldSpec[] | null
  values: Record<string, Value>
}

/** Business in the customer's call: what the server says of it, and what the customer does in it. */
export class CounterDesk {
  readonly state = reactive<CounterDeskState>({ view: null, busy: false, error: null, fields: {} })
  /** What is being sent right now, or was sent last. */
  private running: Promise<boolean> = Promise.resolve(true)
  /** The demo's helper; null where there is none, as in every real bank. */
  readonly demo = ref<DemoHelp | null>(null)
  /** Values of an invented customer, to be put into the open form. */
  readonly suggested = ref<Record<string, Value> | null>(null)
  /** A business that has ended stays on the screen until the customer puts it away. */
  readonly dismissed = ref<string | null>(null)

  constructor(
    private readonly socket: CustomerSocket,
    private readonly token: () => string,
  ) {
    socket.on('counter.state', ({ case: view }) => this.take(view))
    socket.link.on('resumed', () => void this.load())
  }

  async load(): Promise<void> {
    try {
      this.take((await this.socket.request('counter.get', {})).case)
    } catch {
      // Nothing to show now; the next push or reconnection brings it.
    }
  }

  act(action: string, inputs: Record<string, unknown> = {}): Promise<boolean> {
    return this.attempt(async () => {
      const view = this.state.view
      const step = openStep(view)
      if (!view || !step) throw new ApiError({ code: 'case.stale' })
      const { case_id, version } = view
      this.take((await this.socket.request('counter.act', { case_id, version, step: step.key, action, inputs })).case)
    })
  }

  async loadDemo(): Promise<void> {
    try {
      const help = await this.ask<DemoHelp>('GET', '/api/visit/demo')
      this.demo.value = help.on ? help : null
    } catch {
      // What was there stays; the next look brings the rest.
    }
  }

  /** One side of an invented customer's card, handed in as if it had been photographed. */
  async uploadDemoCard(person: string, code: 'id_front' | 'id_back'): Promise<boolean> {
    const path = `/api/visit/demo/cards/${person}/${code === 'id_front' ? 'front' : 'back'}`
    try {
      const response = await fetch(path, { headers: { Authorization: `Bearer ${this.token()}` }, signal: AbortSignal.timeout(15_000) })
      return response.ok && (await this.upload(code, await response.blob(), 'file'))
    } catch {
      this.state.error = 'net.unreachable'
      return false
    }
  }

  /** Hands a picture or file in for the open step; waits for what is being sent, so that no chosen file is lost. */
  async upload(code: string, file: Blob, source: 'camera' | 'snapshot' | 'file'): Promise<boolean> {
    while (this.state.busy) await this.running
    return this.attempt(async () => {
      const view = this.state.view
      const step = openStep(view)
      if (!view || !step) throw new ApiError({ code: 'case.stale' })
      const query = new URLSearchParams({ step: step.key, code, source })
      let response: Response
      try {
        response = await fetch(`/api/visit/cases/${view.case_id}/documents?${query}`, {
          method: 'POST',
          headers: { Authorization: `Bearer ${this.token()}`, 'Content-Type': file.type },
          body: file,
          signal: AbortSignal.timeout(60_000),
        })
      } catch {
        throw new ApiError({ code: 'net.unreachable', retryable: true })
      }
      if (!response.ok) throw errorFromBody(await response.json().catch(() => null), response.status)
      await this.load()
    })
  }

  /** Address of a document's small picture, fetched with the visit's token. */
  async thumbnail(id: string): Promise<string | null> {
    const headers = { Authorization: `Bearer ${this.token()}` }
    try {
      const response = await fetch(`/api/visit/documents/${id}/thumbnail`, { headers, cache: 'no-store' })
      return response.ok ? URL.createObjectURL(await response.blob()) : null
    } catch {
      return null
    }
  }

  /** The form that can be filled in while waiting; null when there is none or it cannot be fetched. */
  async prefill(link: string | null): Promise<(PrefillForm & { refused: string | null }) | null> {
    try {
      // What is wrong with the link; that the server cannot be reached says nothing about it.
      const refused = !link ? null : await this.ask('POST', '/api/visit/prefill/claim', { token: link }).then(() => null, (failure: unknown) => errorCode(failure))
      const form = await this.ask<PrefillForm>('GET', '/api/visit/prefill')
      return { ...form, refused: refused?.startsWith('prefill.') ? refused : null }
    } catch {
      return null
    }
  }

  savePrefill(values: Record<string, string | number>): Promise<boolean> {
    return this.attempt(async () => {
      await this.ask('PUT', '/api/visit/prefill', { values })
    })
  }

  private async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    let response: Response
    try {
      response = await fetch(path, {
        method,
        headers: { Authorization: `Bearer ${this.token()}`, 'Content-Type': 'application/json' },
        body: body === undefined ? undefined : JSON.stringify(body),
        cache: 'no-store',
        signal: AbortSignal.timeout(15_000),
      })
    } catch {
      throw new ApiError({ code: 'net.unreachable', retryable: true })
    }
    const answer: unknown = await response.json().catch(() => null)
    if (!response.ok) throw errorFromBody(answer, response.status)
    return answer as T
  }

  /** A call is over: nothing of it stays for the next one. */
  forget(): void {
    Object.assign(this.state, { view: null, busy: false, error: null, fields: {} })
    this.dismissed.value = null
  }

  private take(view: CaseView | null): void {
    const now = this.state.view
    if (view && now && view.case_id === now.case_id && view.version < now.version) return
    if (openStep(view)?.key !== openStep(now)?.key) this.state.error = null
    this.state.view = view
  }

  private attempt(work: () => Promise<void>): Promise<boolean> {
    if (this.state.busy) return Promise.resolve(false)
    this.running = this.settle(work)
    return this.running
  }

  private async settle(work: () => Promise<void>): Promise<boolean> {
    this.state.busy = true
    this.state.error = null
    try {
      await work()
      return true
    } catch (error) {
      const failure = error instanceof ApiError ? error : new ApiError({ code: 'internal' })
      this.state.error = failure.code
      this.state.fields = failure.fields
      if (failure.code === 'case.stale') await this.load()
      return false
    } finally {
      this.state.busy = false
    }
  }
}
