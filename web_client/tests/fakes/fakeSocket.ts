import type { SocketLike } from '../../src/shared/socket'

type Handler = (...args: unknown[]) => void
type Answer = unknown | ((payload: unknown) => unknown)

/** A socket.io-client socket without a network: tests say what the server answers and sends. */
export class FakeSocket implements SocketLike {
  connected = false
  connects = 0
  readonly sent: { name: string; payload: unknown }[] = []
  readonly answers = new Map<string, Answer>()
  private readonly handlers = new Map<string, Handler[]>()
  private any: Handler = () => undefined

  on(name: string, handler: (...args: never[]) => void): void {
    this.handlers.set(name, [...(this.handlers.get(name) ?? []), handler as Handler])
  }

  onAny(handler: (name: string, ...args: unknown[]) => void): void {
    this.any = handler as Handler
  }

  connect(): void {
    this.connects += 1
  }

  disconnect(): void {
    if (this.connected) this.drop('io client disconnect')
  }

  timeout(): { emitWithAck(name: string, payload: unknown): Promise<unknown> } {
    return {
      emitWithAck: async (name, payload) => {
        this.sent.push({ name, payload })
        const answer = this.answers.get(name)
        if (answer === undefined) throw new Error('operation has timed out')
        return typeof answer === 'function' ? (answer as (payload: unknown) => unknown)(payload) : answer
      },
    }
  }

  /** The server let us in. */
  accept(): void {
    this.connected = true
    this.fire('connect')
  }

  drop(reason = 'transport close'): void {
    this.connected = false
    this.fire('disconnect', reason)
  }

  refuse(error: Error): void {
    this.fire('connect_error', error)
  }

  /** The server sends a message. */
  receive(name: string, payload: unknown): void {
    this.any(name, payload)
  }

  names(): string[] {
    return this.sent.map((each) => each.name)
  }

  private fire(name: string, ...args: unknown[]): void {
    for (const handler of this.handlers.get(name) ?? []) handler(...args)
  }
}
