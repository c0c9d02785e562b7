import { ApiError } from '@shared/errors'
import type { HttpClient } from '@shared/http'
import type { StaffEvents } from '@shared/protocol'
import { SocketManager, type SocketLike } from '@shared/socket'
import { createPinia, setActivePinia } from 'pinia'
import { setServer, type StaffSocket } from '../lib/server'

type Answer = unknown | Error | ((body: unknown) => unknown)

/** A socket whose answers are set by the test and which can say what the server would. */
export class FakeSocket implements SocketLike {
  connected = false
  readonly sent: [string, unknown][] = []
  readonly answers = new Map<string, Answer>()
  private readonly handlers = new Map<string, ((...args: never[]) => void)[]>()
  private any: ((name: string, ...args: unknown[]) => void) | null = null

  connect(): void {
    this.connected = true
    this.fire('connect')
  }

  disconnect(): void {
    this.connected = false
    this.fire('disconnect', 'io client disconnect')
  }

  on(name: string, handler: (...args: never[]) => void): void {
    this.handlers.set(name, [...(this.handlers.get(name) ?? []), handler])
  }

  onAny(handler: (name: string, ...args: unknown[]) => void): void {
    this.any = handler
  }

  timeout() {
    return {
      emitWithAck: async (name: string, payload: unknown): Promise<unknown> => {
        this.sent.push([name, payload])
        const answer = this.answers.get(name) ?? {}
        if (answer instanceof ApiError) return { ok: false, error: { code: answer.code, message: '', fields: {} } }
        return { ok: true, ...(answer as object) }
      },
    }
  }

  fire(name: string, ...args: unknown[]): void {
    for (const handler of this.handlers.get(name) ?? []) (handler as (...given: unknown[]) => void)(...args)
  }

  /** The server says something. */
  say<K extends keyof StaffEvents & string>(name: K, payload: StaffEvents[K]): void {
    this.any?.(name, payload)
  }
}

/** HTTP whose answers are set by `METHOD path`. */
export class FakeHttp {
  readonly sent: [string, unknown][] = []
  readonly answers = new Map<string, Answer>()

  get = (path: string): Promise<unknown> => this.request('GET', path)
  post = (path: string, body?: unknown): Promise<unknown> => this.request('POST', path, body)
  put = (path: string, body: unknown): Promise<unknown> => this.request('PUT', path, body)

  async request(method: string, path: string, body?: unknown): Promise<unknown> {
    this.sent.push([`${method} ${path}`, body])
    const answer = this.answers.get(`${method} ${path}`)
    if (answer instanceof Error) throw answer
    if (answer === undefined) throw new ApiError({ code: 'object.not_found' }, 404)
    return typeof answer === 'function' ? (answer as (given: unknown) => unknown)(body) : structuredClone(answer)
  }
}

/** A fresh store world with fakes behind it. */
export function fakeServer(): { http: FakeHttp; socket: FakeSocket } {
  setActivePinia(createPinia())
  const http = new FakeHttp()
  const socket = new FakeSocket()
  const manager: StaffSocket = new SocketManager(socket)
  setServer({ http: http as unknown as HttpClient, socket: manager })
  return { http, socket }
}
