import type { LinkState } from '@shared/socket'
import type { Picture } from '@shared/protocol'
import type { Off } from '@shared/emitter'
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { addCaption, emptyTranscript, linesOf, type LiveTranscript } from '../lib/captions'
import { failureOf, type Failure } from '../lib/errors'
import { useServer } from '../lib/server'
import { ServerClock } from '../lib/serverClock'
import { warningsOf } from '../lib/warnings'
import type {
  Alarm,
  Caption,
  ChosenPresence,
  Disposition,
  MediaNotice,
  MediaQuality,
  Offer,
  OfferEnd,
  Presence,
  ScriptState,
  SeatState,
  TellerCall,
  TellerProfile,
} from '../lib/wire'

export type Screen = 'idle' | 'offer' | 'call' | 'wrapup'
export interface Seat {
  state: SeatState
  /** Local time of the last change, ms. */
  at: number
  /** Connected again after trouble. */
  back: boolean
}

/** The teller's console: what the server says about presence, the ringing offer and the call. */
export const useConsole = defineStore('console', () => {
  const clock = new ServerClock()
  const link = ref<LinkState>('idle')
  const presence = ref<Presence | null>(null)
  const offer = ref<Offer | null>(null)
  const call = ref<TellerCall | null>(null)
  const lastOffer = ref<OfferEnd['outcome'] | null>(null)
  const transcript = shallowRef<LiveTranscript>(emptyTranscript())
  const script = ref<ScriptState | null>(null)
  const seats = ref<Partial<Record<'customer' | 'teller', Seat>>>({})
  /** How good each party's connection is, 0 to 4 bars. */
  const quality = ref<Partial<Record<'customer' | 'teller', number>>>({})
  const pictures = ref<Partial<Record<'customer' | 'teller', Picture>>>({})
  const alarms = ref<Alarm[]>([])
  const joinedLate = ref(false)
  const busy = ref<string | null>(null)
  const failure = ref<Failure | null>(null)
  let offs: Off[] = []

  const lines = computed(() => linesOf(transcript.value))
  const nodes = computed(() => script.value?.nodes ?? [])
  const missing = computed(() => nodes.value.filter((node) => node.required && !node.done))
  const warnings = computed(() => warningsOf(script.value?.warnings ?? []))
  const screen = computed<Screen>(() => {
    if (call.value && ['accepted', 'connected'].includes(call.value.state)) return 'call'
    if (call.value?.state === 'wrap_up' || presence.value?.state === 'wrap_up') return 'wrapup'
    return offer.value ? 'offer' : 'idle'
  })
  /** The call whose media should be open: warmed up while it rings. */
  const mediaCallId = computed(() => {
    const now = screen.value === 'call' ? call.value : screen.value === 'offer' ? offer.value : null
    return now && now.channel !== 'text' ? now.call_id : null
  })

  function forgetCall(): void {
    call.value = null
    transcript.value = emptyTranscript()
    script.value = null
    seats.value = {}
    quality.value = {}
    pictures.value = {}
    alarms.value = []
    joinedLate.value = false
  }

  function onPresence(next: Presence): void {
    if (presence.value && presence.value.state !== next.state) clock.learn(next.since)
    presence.value = next
    if (['ready', 'break', 'offline'].includes(next.state) && call.value) forgetCall()
    // Accepted: the offer stays until the call itself arrives, so that its warm media are not dropped in between.
    if (!['offered', 'in_call'].includes(next.state)) offer.value = null
  }

  function onRing(next: Offer): void {
    offer.value = next
    lastOffer.value = null
    failure.value = null
  }

  function onOfferEnd(end: OfferEnd): void {
    if (offer.value?.offer_id !== end.offer_id || end.outcome === 'accepted') return
    offer.value = null
    lastOffer.value = end.outcome
  }

  function onCall(next: TellerCall): void {
    if (next.state === 'queued' || next.state === 'offered') return
    if (call.value?.call_id !== next.call_id) {
      // A closed call that is not on the screen is somebody's past.
      if (next.state === 'closed') return
      const heard = script.value?.call_id === next.call_id ? script.value : null
      forgetCall()
      script.value = heard
    }
    offer.value = null
    call.value = next
    if (next.state === 'closed') forgetCall()
  }

  function onCaption(caption: Caption): void {
    if (caption.call_id === call.value?.call_id) transcript.value = addCaption(transcript.value, caption)
  }

  function onScript(next: ScriptState): void {
    if (next.call_id === call.value?.call_id || next.call_id === offer.value?.call_id) script.value = next
  }

  function onNotice({ call_id, seat, state }: MediaNotice): void {
    if (call_id !== mediaCallId.value) return
    const before = seats.value[seat]?.state ?? 'connected'
    if (state === before) return
    seats.value = { ...seats.value, [seat]: { state, at: Date.now(), back: state === 'connected' } }
  }

  function onQuality({ call_id, seat, bars }: MediaQuality): void {
    if (call_id === mediaCallId.value) quality.value = { ...quality.value, [seat]: bars }
  }

  function onProfile({ call_id, seat, profile, why, shown }: TellerProfile): void {
    if (call_id === mediaCallId.value) pictures.value = { ...pictures.value, [seat]: { profile, why, shown } }
  }

  function onAlarm(alarm: Alarm): void {
    if (alarm.call_id !== null && alarm.call_id === call.value?.call_id) alarms.value = [alarm, ...alarms.value]
  }

  async function snapshot(): Promise<void> {
    const hadCall = call.value?.call_id
    const answer = await useServer().socket.request('presence.get', {})
    onPresence(answer.presence)
    offer.value = answer.offer
    if (answer.call) onCall(answer.call)
    else if (call.value) forgetCall()
    if (call.value && hadCall !== call.value.call_id) joinedLate.value = true
  }

  /** Connect, listen, and draw what the server knows. */
  async function start(): Promise<void> {
    const { socket } = useServer()
    stop()
    offs = [
      socket.link.on('state', (state) => (link.value = state)),
      socket.link.on('resumed', () => void attempt('restore', snapshot)),
      socket.on('presence', onPresence),
      socket.on('offer.ring', onRing),
      socket.on('offer.end', onOfferEnd),
      socket.on('call.state', onCall),
      socket.on('caption', onCaption),
      socket.on('script.state', onScript),
      socket.on('media.notice', onNotice),
      socket.on('media.quality', onQuality),
      socket.on('media.profile', onProfile),
      socket.on('alarm', onAlarm),
    ]
    link.value = socket.state
    socket.connect()
    await attempt('restore', snapshot)
  }

  function stop(): void {
    for (const off of offs) off()
    offs = []
  }

  /** Leave the page for good: nothing of a customer stays behind. */
  function reset(): void {
    stop()
    forgetCall()
    presence.value = null
    offer.value = null
    lastOffer.value = null
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

  const setPresence = (state: ChosenPresence, reason = ''): Promise<boolean> =>
    attempt(`presence.${state}`, async () => {
      lastOffer.value = null
      onPresence((await useServer().socket.request('presence.set', { state, reason })).presence)
    })

  async function accept(): Promise<boolean> {
    if (!offer.value || busy.value !== null) return false
    const { offer_id } = offer.value
    return attempt('accept', async () => {
      try {
        onCall((await useServer().socket.request('offer.accept', { offer_id })).call)
      } catch (error) {
        if (failureOf(error).code === 'offer.gone') onOfferEnd({ offer_id, outcome: 'timeout' })
        throw error
      }
    })
  }

  const decline = (): Promise<boolean> =>
    attempt('decline', async () => {
      if (!offer.value) return
      const { offer_id } = offer.value
      await useServer().socket.request('offer.decline', { offer_id })
      onOfferEnd({ offer_id, outcome: 'declined' })
    })

  const hangUp = (): Promise<boolean> =>
    attempt('hangup', async () => {
      if (call.value) await useServer().socket.request('call.hangup', { call_id: call.value.call_id })
    })

  const toggleHold = (): Promise<boolean> =>
    attempt('hold', async () => {
      if (!call.value) return
      const { call_id, on_hold } = call.value
      await useServer().socket.request('call.hold', { call_id, on: !on_hold })
    })

  /** Ask a customer who writes to go on by video. */
  const askForVideo = (): Promise<boolean> =>
    attempt('video', async () => {
      if (call.value) await useServer().socket.request('text.ask_video', { call_id: call.value.call_id })
    })

  const setSharing = (on: boolean): Promise<boolean> =>
    attempt('share', async () => {
      if (call.value) await useServer().socket.request('media.share', { call_id: call.value.call_id, on })
    })

  const wrapUp = (disposition: Disposition, note: string, then: ChosenPresence = 'ready'): Promise<boolean> =>
    attempt('wrapup', async () => {
      const call_id = call.value?.call_id ?? presence.value?.call_id
      if (!call_id) return
      const { socket } = useServer()
      onPresence((await socket.request('call.wrapup', { call_id, disposition, note })).presence)
      if (then !== presence.value?.state) await setPresence(then)
    })

  return {
    clock, link, presence, offer, call, lastOffer, lines, script, nodes, missing, warnings, seats, quality, pictures, alarms, joinedLate,
    busy, failure, screen, mediaCallId, start, stop, reset, setPresence, accept, decline, hangUp, toggleHold, askForVideo, setSharing, wrapUp,
  }
})
