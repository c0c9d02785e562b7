import { defineStore } from 'pinia'
import { ref } from 'vue'
import { failureOf, type Failure } from '../lib/errors'
import { useServer } from '../lib/server'
import type { Colleagues } from '../lib/wire'
import { useConsole } from './console'

export type Way = 'expert' | 'consult' | 'blind' | 'group' | 'return'

/** Turning to colleagues: asking somebody in, handing the call on. */
export const useHandOn = defineStore('handOn', () => {
  const around = ref<Colleagues | null>(null)
  const busy = ref(false)
  const failure = ref<Failure | null>(null)

  async function attempt(action: () => Promise<void>): Promise<boolean> {
    busy.value = true
    failure.value = null
    try {
      await action()
      return true
    } catch (error) {
      failure.value = failureOf(error)
      return false
    } finally {
      busy.value = false
    }
  }

  const look = (): Promise<boolean> =>
    attempt(async () => {
      around.value = await useServer().http.get<Colleagues>('/api/colleagues')
    })

  const go = (way: Way, target: string, note: string): Promise<boolean> =>
    attempt(async () => {
      const call_id = useConsole().call?.call_id
      if (call_id === undefined) return
      const { socket } = useServer()
      if (way === 'expert' || way === 'consult') {
        await socket.request('call.invite', { call_id, staff_id: target, purpose: way, note })
      } else {
        const to = { blind: { staff_id: target }, group: { skill_group: target }, return: {} }[way]
        await socket.request('call.transfer', { call_id, kind: way === 'return' ? 'return' : 'blind', note, ...to })
      }
    })

  /** The one who was consulted takes the call. */
  const complete = (note: string): Promise<boolean> =>
    attempt(async () => {
      const call_id = useConsole().call?.call_id
      if (call_id !== undefined) await useServer().socket.request('call.transfer', { call_id, kind: 'consult', note })
    })

  const sendOut = (guest_id: string): Promise<boolean> =>
    attempt(async () => {
      await useServer().socket.request('guest.leave', { guest_id })
    })

  return { around, busy, failure, look, go, complete, sendOut }
})
