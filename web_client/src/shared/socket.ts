import { io } from 'socket.io-client'
import { Emitter, type Off } from './emitter'
import { ApiError } from './errors'
import type { ErrorBody } from './protocol'

/** What the manager needs of a socket.io-client `Socket`; tests give a small fake. */
export interface SocketLike {
  connected: boolean
  connect(): unknown
  disconnect(): unknown
  on(name: string, handler: (...args: never[]) => void): unknown
  onAny(handler: (name: string, ...args: unknown[]) => void): unknown
  timeout(ms: number): { emitWithAck(name: string, payload: unknown): Promise<unknown> }
}

/**
 * - `idle`: not asked to connect yet, or closed by the page
 * - `connecting`: the first connection is on its way
 * - `connected`
 * - `reconnecting`: no connection right now, comes back by itself
 * - `refused`: the server does not let us in (token or session ended); does not come back by itself
 */
export type LinkState = 'idle' | 'connecting' | 'connected' | 'reconnecting' | 'refused'

/** Longer than any answer takes on a line on which one can still talk. */
const PROBE_MS = 2500
/** Pause before asking a server again that was too busy to let us in. */
const RETRY_REFUSED_MS = 2000

interface LinkEvents {
  state: LinkState
  /** Connected again after a break: ask for a snapshot. */
  resumed: undefined
  /** Why the server refused the connection. */
  refused: ApiError
}

type RequestMap = Record<string, [unknown, unknown]>
type Payload<R, K extends keyof R> = R[K] extends [infer P, unknown] ? P : never
type Answer<R, K extends keyof R> = R[K] extends [unknown, infer A] ? A : never

/** One namespace: typed requests with acknowledgement and deadline, typed events, link state. */
export class SocketManager<Requests extends { [K in keyof Requests]: RequestMap[string] }, Events extends object> {
  readonly link = new Emitter<LinkEvents>()
  state: LinkState = 'idle'
  private readonly events = new Emitter<Events>()
  private readonly socket: SocketLike
  private wasConnected = false

  constructor(socket: SocketLike) {
    this.socket = socket
    socket.on('connect', () => {
      const again = this.wasConnected
      this.wasConnected = true
      this.setState('connected')
      if (again) this.link.emit('resumed', undefined)
    })
    socket.on('disconnect', (reason: string) => {
      if (reason === 'io client disconnect') this.setState('idle')
      // The server closed this connection on purpose; socket.io does not come back by itself then.
      else if (reason === 'io server disconnect') this.comeBack()
      else this.setState('reconnecting')
    })
    socket.on('connect_error', (error: Error & { data?: unknown }) => this.onConnectError(error))
    socket.onAny((name, payload) => this.events.emit(name as keyof Events, payload as Events[keyof Events]))
  }

  connect(): void {
    if (this.socket.connected) return
    this.setState(this.wasConnected ? 'reconnecting' : 'connecting')
    this.socket.connect()
  }

  close(): void {
    this.wasConnected = false
    this.socket.disconnect()
    this.setState('idle')
  }

  on<K extends keyof Events>(name: K, handler: (payload: Events[K]) => void): Off {
    return this.events.on(name, handler)
  }

  /**
   * Sends a message and waits for its acknowledgement.
   *
   * @throws ApiError with the server's code, `net.timeout`, or `net.unreachable` when not connected.
   */
  async request<K extends keyof Requests & string>(
    name: K,
    payload: Payload<Requests, K>,
    timeout_ms = 10_000,
  ): Promise<Answer<Requests, K>> {
    let answer: unknown
    try {
      // Not connected yet: socket.io keeps the message until the connection is there.
      answer = await this.socket.timeout(timeout_ms).emitWithAck(name, payload)
    } catch {
      throw new ApiError({ code: this.socket.connected ? 'net.timeout' : 'net.unreachable', retryable: true })
    }
    const body = answer as { ok?: boolean; error?: ErrorBody } | null
    if (body?.ok) return body as Answer<Requests, K>
    throw new ApiError(body?.error ?? { code: 'internal' })
  }

  /**
   * Asks something small and gives up a connection that does not answer. After a change of network the old one is
   * dead without knowing it; waiting for the missing heartbeat would take up to 20 s.
   */
  async probe<K extends keyof Requests & string>(name: K, payload: Payload<Requests, K>): Promise<void> {
    if (!this.socket.connected) return
    try {
      await this.request(name, payload, PROBE_MS)
    } catch (error) {
      if (!(error instanceof ApiError) || error.code !== 'net.timeout') return
      this.socket.disconnect()
      this.comeBack()
    }
  }

  private comeBack(): void {
    this.setState('reconnecting')
    this.socket.connect()
  }

  private onConnectError(error: Error & { data?: unknown; type?: string }): void {
    const data = (error.data ?? undefined) as Partial<ErrorBody> | undefined
    const code = data?.code ?? (/^[a-z_]+\.[a-z_]+$/.test(error.message) ? error.message : undefined)
    // No code: the network or the server is away; socket.io tries again by itself.
    if (code === undefined) return this.setState('reconnecting')
    const refusal = new ApiError({ ...data, code })
    if (refusal.retryable) {
      this.setState('reconnecting')
      setTimeout(() => this.state === 'reconnecting' && this.socket.connect(), RETRY_REFUSED_MS)
      return
    }
    this.setState('refused')
    this.link.emit('refused', refusal)
  }

  private setState(state: LinkState): void {
    if (state === this.state) return
    this.state = state
    this.link.emit('state', state)
  }
}

/**
 * Opens (but does not connect) a namespace of the server that served the page.
 *
 * @param auth asked again at every connection attempt, so that a new token is used at once.
 */
export function openSocket(namespace: '/customer' | '/staff', auth: () => Record<string, unknown> = () => ({})): SocketLike {
  return io(namespace, {
    autoConnect: false,
    // WebSocket first: one round trip less before the first message. Polling where it is blocked.
    transports: ['websocket', 'polling'],
    tryAllTransports: true,
    reconnectionDelay: 300,
    reconnectionDelayMax: 4000,
    auth: (give) => give(auth()),
  }) as unknown as SocketLike
}
