import type { Off } from '@shared/emitter'
import { computed, ref, type Ref } from 'vue'
import { failureOf, type Failure } from './errors'
import { useServer } from './server'

/** Something of the server that is asked for again every few seconds and whenever an alarm rises. */
export interface Polled<T> {
  data: Ref<T | null>
  failure: Ref<Failure | null>
  start: () => void
  stop: () => void
  load: () => Promise<void>
}

export function polled<T>(ask: () => Promise<T>, every_ms = 2000): Polled<T> {
  const data = ref<T | null>(null) as Ref<T | null>
  const failure = ref<Failure | null>(null)
  let offs: Off[] = []
  let asking = false

  async function load(): Promise<void> {
    if (asking) return
    asking = true
    try {
      data.value = await ask()
      failure.value = null
    } catch (error) {
      failure.value = failureOf(error)
    } finally {
      asking = false
    }
  }

  function stop(): void {
    for (const off of offs) off()
    offs = []
  }

  function start(): void {
    stop()
    const { socket } = useServer()
    const timer = setInterval(() => void load(), every_ms)
    offs = [socket.on('alarm', () => void load()), socket.link.on('resumed', () => void load()), () => clearInterval(timer)]
    socket.connect()
    void load()
  }

  return { data, failure, start, stop, load }
}

/** One action at a time: what is being done, and why the last one did not work. */
export function useAttempt() {
  const busy = ref<string | null>(null)
  const failure = ref<Failure | null>(null)

  async function attempt(name: string, action: () => Promise<void>): Promise<boolean> {
    if (busy.value !== null) return false
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

  return { busy, failure, attempt, idle: computed(() => busy.value === null) }
}
