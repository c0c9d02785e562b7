import type { Off } from '@shared/emitter'
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { failureOf, type Failure } from '../lib/errors'
import { useServer } from '../lib/server'
import type { AlarmRow } from '../lib/wire'

/** Alarms come live; asked for as well, for what cannot be told live: that the database or Redis is away. */
const ASK_EVERY_MS = 5000

/** What failed and needs a person; live. */
export const useAlarms = defineStore('alarms', () => {
  const alarms = ref<AlarmRow[] | null>(null)
  const loading = ref(false)
  const failure = ref<Failure | null>(null)
  /** The alarm something is being done about. */
  const busy = ref<string | null>(null)
  let offs: Off[] = []

  const open = computed(() => (alarms.value ?? []).filter((alarm) => !alarm.cleared_at))
  const cleared = computed(() => (alarms.value ?? []).filter((alarm) => alarm.cleared_at))

  async function load(): Promise<void> {
    loading.value = true
    try {
      alarms.value = await useServer().http.get<AlarmRow[]>('/api/alarms')
      failure.value = null
    } catch (error) {
      failure.value = failureOf(error)
    } finally {
      loading.value = false
    }
  }

  function onAlarm(alarm: AlarmRow): void {
    const others = (alarms.value ?? []).filter((each) => each.id !== alarm.id)
    alarms.value = [alarm, ...others]
  }

  function onCleared(over: { id: string; cleared_at: string }): void {
    alarms.value = (alarms.value ?? []).map((alarm) => (alarm.id === over.id ? { ...alarm, ...over } : alarm))
  }

  async function start(): Promise<void> {
    const { socket } = useServer()
    stop()
    const timer = setInterval(() => void load(), ASK_EVERY_MS)
    offs = [
      socket.on('alarm', onAlarm),
      socket.on('alarm.cleared', onCleared),
      socket.link.on('resumed', () => void load()),
      () => clearInterval(timer),
    ]
    socket.connect()
    await load()
  }

  function stop(): void {
    for (const off of offs) off()
    offs = []
  }

  async function attempt(id: string, action: () => Promise<void>): Promise<void> {
    busy.value = id
    failure.value = null
    try {
      await action()
    } catch (error) {
      failure.value = failureOf(error)
    } finally {
      busy.value = null
    }
  }

  async function markCleared(id: string): Promise<void> {
    await useServer().http.post(`/api/alarms/${encodeURIComponent(id)}/clear`)
    const cleared_at = new Date().toISOString()
    alarms.value = (alarms.value ?? []).map((alarm) => (alarm.id === id ? { ...alarm, cleared_at } : alarm))
  }

  const clear = (id: string): Promise<void> => attempt(id, () => markCleared(id))

  /** Have the failed work tried again; the alarm is handled by that. A new failure raises a new one. */
  const retry = (alarm: AlarmRow): Promise<void> =>
    attempt(alarm.id, async () => {
      await useServer().http.post('/api/jobs/retry', alarm.job)
      await markCleared(alarm.id)
    })

  return { alarms, loading, failure, busy, open, cleared, start, stop, load, clear, retry }
})
