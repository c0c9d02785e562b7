import { MediaSession, type MediaState } from '@shared/media/session'
import { stopStream } from '@shared/media/devices'
import type { Off } from '@shared/emitter'
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { openChosen, storedChoice } from '../lib/capture'
import { failureOf, type Failure } from '../lib/errors'
import { useServer } from '../lib/server'
import type { Guest } from '../lib/wire'

/**
 * One's own place in somebody else's call: a supervisor's or an expert's. The server decides who hears whom; a
 * supervisor's microphone is on all the time and heard by nobody before the mode says so.
 */
export const useGuest = defineStore('guest', () => {
  const guests = ref<Guest[]>([])
  const place = ref<Guest | null>(null)
  const over = ref<Guest | null>(null)
  const local = shallowRef<MediaStream | null>(null)
  /** The customer. */
  const remote = shallowRef<MediaStream | null>(null)
  /** The teller. */
  const third = shallowRef<MediaStream | null>(null)
  const media = ref<MediaState>('idle')
  const busy = ref<string | null>(null)
  const failure = ref<Failure | null>(null)
  let session: MediaSession | null = null
  let offs: Off[] = []

  const invitations = computed(() => guests.value.filter((each) => each.state === 'invited'))

  function onState(next: Guest): void {
    guests.value = [...guests.value.filter((each) => each.guest_id !== next.guest_id), ...(next.left_reason === null ? [next] : [])]
    if (place.value?.guest_id !== next.guest_id) return
    if (next.left_reason === null) place.value = next
    else {
      over.value = next
      closeMedia()
    }
  }

  async function refresh(): Promise<void> {
    guests.value = (await useServer().socket.request('guest.get', {})).guests
    const mine = guests.value.find((each) => each.guest_id === place.value?.guest_id)
    if (place.value && !mine) closeMedia()
    else if (mine) place.value = mine
  }

  /** Listen for invitations and news. */
  async function start(): Promise<void> {
    const { socket } = useServer()
    for (const off of offs) off()
    offs = [
      socket.on('guest.state', onState),
      socket.link.on('resumed', () => void attempt('restore', async () => {
        await refresh()
        await session?.ensure()
      })),
    ]
    socket.connect()
    await attempt('restore', refresh)
  }

  /** Take the supervisor's seat of a call, heard by none. */
  const oversee = (call_id: string): Promise<boolean> =>
    attempt('oversee', async () => enter((await useServer().socket.request('call.oversee', { call_id })).guest))

  /** Follow an invitation. */
  const follow = (guest: Guest): Promise<boolean> => attempt('follow', () => enter(guest))

  async function enter(guest: Guest): Promise<void> {
    closeMedia()
    over.value = null
    place.value = guest
    local.value = await openChosen(storedChoice())
    const { guest_id } = guest
    const { socket } = useServer()
    const fresh = new MediaSession()
    session = fresh
    fresh.events.on('state', (next) => (media.value = next))
    fresh.events.on('remote', (stream) => (remote.value = stream))
    fresh.events.on('third', (stream) => (third.value = stream))
    await fresh.join(
      {
        join: () => socket.request('guest.media', { guest_id }),
        answer: (peer_id, sdp_answer) => socket.request('guest.answer', { guest_id, peer_id, sdp_answer }),
      },
      local.value,
    )
  }

  const setMode = (mode: Guest['mode']): Promise<boolean> =>
    attempt(`mode.${mode}`, async () => {
      if (!place.value) return
      onState((await useServer().socket.request('oversee.mode', { guest_id: place.value.guest_id, mode })).guest)
    })

  const leave = (guest_id = place.value?.guest_id): Promise<boolean> =>
    attempt('leave', async () => {
      if (guest_id === undefined) return
      await useServer().socket.request('guest.leave', { guest_id })
      guests.value = guests.value.filter((each) => each.guest_id !== guest_id)
      if (place.value?.guest_id === guest_id) closeMedia()
    })

  function closeMedia(): void {
    session?.leave()
    session?.events.clear()
    session = null
    stopStream(local.value)
    local.value = remote.value = third.value = null
    place.value = null
    media.value = 'idle'
  }

  function stop(): void {
    for (const off of offs) off()
    offs = []
    closeMedia()
    guests.value = []
    over.value = null
    failure.value = null
  }

  async function attempt(name: string, action: () => Promise<void>): Promise<boolean> {
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

  return {
    guests, place, over, invitations, local, remote, third, media, busy, failure,
    start, oversee, follow, setMode, leave, stop,
  }
})
