import type { Off } from '@shared/emitter'
import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { failureOf, type Failure } from '../lib/errors'
import { useServer } from '../lib/server'
import type { Alarm } from '../lib/wire'

/** What failed and needs a person; live. */
export const useAlarms = defineStore('alarms', () => {
  const alarms = ref<Alarm[] | null>(null)
  const loading = ref(false)
  const failure = ref<Failure | null>(null)
  const clearing = ref<string | null>(null)
  let offs: Off[] = []

  const open = computed(() => (alarms.value ?? []).filter((alarm) => !alarm.cleared_at))
  const cleared = computed(() => (alarms.value ?? []).filter((alarm) => alarm.cleared_at))

  async function load(): Promise<void> {
    loading.value = true
    try {
      alarms.value = await useServer().http.get<Alarm[]>('/api/alarms')
      failure.value = null
    } catch (error) {
      failure.value = failureOf(error)
    } finally {
      loading.value = false
    }
  }

  function onAlarm(alarm: Alarm): void {
    const others = (alarms.value ?? []).filter((each) => each.id !== alarm.id)
    alarms.value = [alarm, ...others]
  }

  async function start(): Promise<void> {
    const { socket } = useServer()
    stop()
    offs = [socket.on('alarm', onAlarm), socket.link.on('resumed', () => void load())]
    socket.connect()
    await load()
  }

  function stop(): void {
    for (const off of offs) off()
    offs = []
  }

  async function clear(id: string): Promise<void> {
    clearing.value = id
    try {
      await useServer().http.post(`/api/alarms/${encodeURIComponent(id)}/clear`)
      const cleared_at = new Date().toISOString()
      alarms.value = (alarms.value ?? []).map((alarm) => (alarm.id === id ? { ...alarm, cleared_at } : alarm))
      failure.value = null
    } catch (error) {
      failure.value = failureOf(error)
    } finally {
      clearing.value = null
    }
  }

  return { alarms, loading, failure, clearing, open, cleared, start, stop, load, clear }
})
