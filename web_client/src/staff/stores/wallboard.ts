import type { Off } from '@shared/emitter'
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { EmergencyRequest, EmergencyView, QueueRow, TellerRow, WallboardView } from '../../gen/protocol'
import { failureOf, type Failure } from '../lib/errors'
import { useServer } from '../lib/server'

/** The wallboard, pushed by the server, and what supervisors do from it. */
export const useWallboard = defineStore('wallboard', () => {
  const view = shallowRef<WallboardView | null>(null)
  const failure = ref<Failure | null>(null)
  const busy = ref<string | null>(null)
  const done = ref<string | null>(null)
  const connected = ref(true)
  const log = ref<EmergencyView[] | null>(null)
  let offs: Off[] = []

  const tellers = computed(() => new Map<string, TellerRow>((view.value?.tellers ?? []).map((each) => [each.teller_id, each])))
  const queues = computed(() => new Map<string, QueueRow>((view.value?.queues ?? []).map((each) => [each.business_code, each])))

  async function load(): Promise<void> {
    try {
      view.value = (await useServer().socket.request('wallboard.get', {})).wallboard
      failure.value = null
    } catch (error) {
      failure.value = failureOf(error)
    }
  }

  async function start(): Promise<void> {
    const { socket } = useServer()
    stop()
    offs = [
      socket.on('wallboard', (next) => (view.value = next)),
      socket.link.on('state', (state) => (connected.value = state === 'connected')),
      socket.link.on('resumed', () => void load()),
    ]
    socket.connect()
    await load()
  }

  function stop(): void {
    for (const off of offs) off()
    offs = []
  }

  /** Do something; `what` names the button that waits. */
  async function attempt(what: string, action: () => Promise<unknown>): Promise<boolean> {
    busy.value = what
    failure.value = null
    done.value = null
    try {
      await action()
      done.value = what.split(':')[0]!
      return true
    } catch (error) {
      failure.value = failureOf(error)
      return false
    } finally {
      busy.value = null
    }
  }

  const post = (path: string, body: unknown = {}): Promise<unknown> => useServer().http.post(path, body)
  const takeHelp = (help_id: string) => attempt(`help:${help_id}`, () => post(`/api/help-requests/${help_id}/answer`))
  const force = (teller_id: string, state: string) => attempt(`force:${teller_id}`, () => post(`/api/tellers/${teller_id}/state`, { state }))
  const reassign = (call_id: string, teller_id: string) =>
    attempt(`reassign:${call_id}`, () => post(`/api/calls/${call_id}/reassign`, { teller_id }))
  const tell = (text: string) => attempt('tell', () => post('/api/tellers/notice', { text }))
  const clearAlarm = (id: string) => attempt(`alarm:${id}`, () => post(`/api/alarms/${id}/clear`))

  async function loadLog(): Promise<void> {
    try {
      log.value = await useServer().http.get<EmergencyView[]>('/api/emergencies')
      failure.value = null
    } catch (error) {
      failure.value = failureOf(error)
    }
  }

  const startEmergency = (request: EmergencyRequest) =>
    attempt('emergency', async () => {
      await post('/api/emergencies', request)
      await loadLog()
    })
  const endEmergency = (id: string, review: string) =>
    attempt('emergency', async () => {
      await post(`/api/emergencies/${id}/end`, { review })
      await loadLog()
    })

  return {
    view, failure, busy, done, connected, log, tellers, queues,
    start, stop, load, takeHelp, force, reassign, tell, clearAlarm, loadLog, startEmergency, endEmergency,
  }
})
