/** A small typed event emitter. */

export type Off = () => void

export class Emitter<Events extends object> {
  private readonly handlers = new Map<keyof Events, Set<(payload: never) => void>>()

  /** Calls `handler` for every `name`; the answer takes it away again. */
  on<K extends keyof Events>(name: K, handler: (payload: Events[K]) => void): Off {
    let set = this.handlers.get(name)
    if (!set) this.handlers.set(name, (set = new Set()))
    set.add(handler)
    return () => void set.delete(handler)
  }

  emit<K extends keyof Events>(name: K, payload: Events[K]): void {
    for (const handler of [...(this.handlers.get(name) ?? [])]) {
      ;(handler as (payload: Events[K]) => void)(payload)
    }
  }

  clear(): void {
    this.handlers.clear()
  }
}
