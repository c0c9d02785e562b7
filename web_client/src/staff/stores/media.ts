import { problemOf, stopStream, type DeviceProblem } from '@shared/media/devices'
import { MediaSession, type MediaState, type MediaTransport } from '@shared/media/session'
import type { PictureProfile } from '@shared/media/tuning'
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import { openChosen, storeChoice, storedChoice } from '../lib/capture'
import { useServer } from '../lib/server'

/** Stands for the next call while there is none. */
const LOBBY = 'lobby'
/** A connection that waits is made anew now and then, so that a relay's credential outlasts the call that comes. */
const LOBBY_MS = 1_800_000

/** The teller's own camera and microphone, and the one media connection of the current call. */
export const useMedia = defineStore('media', () => {
  const local = shallowRef<MediaStream | null>(null)
  const opening = ref(false)
  const problem = ref<DeviceProblem | null>(null)
  const choice = ref(storedChoice())
  const devices = shallowRef<MediaDeviceInfo[]>([])
  const remote = shallowRef<MediaStream | null>(null)
  const state = ref<MediaState>('idle')
  const joinFailed = ref(false)
  /** How often the way to the server came into doubt. */
  const doubts = ref(0)
  const muted = ref(false)
  const cameraOff = ref(false)
  /** What the teller shows the customer. */
  const screen = shallowRef<MediaStream | null>(null)
  let session: MediaSession | null = null
  let joined: string | null = null
  let ageing: ReturnType<typeof setInterval> | undefined

  const cameras = computed(() => devices.value.filter((device) => device.kind === 'videoinput'))
  const microphones = computed(() => devices.value.filter((device) => device.kind === 'audioinput'))
  const usable = computed(() => local.value !== null && problem.value === null)

  /** Open (or re-open with another device). Tells `problem` when it fails. */
  async function open(): Promise<boolean> {
    if (opening.value) return usable.value
    opening.value = true
    try {
      if (!globalThis.isSecureContext || !navigator.mediaDevices) throw new Error('insecure')
      const stream = await openChosen(choice.value)
      const previous = local.value
      local.value = stream
      problem.value = null
      for (const track of stream.getTracks()) track.addEventListener('ended', () => onEnded(stream))
      applyMute()
      await session?.replaceLocal(stream)
      stopStream(previous)
      devices.value = await navigator.mediaDevices.enumerateDevices()
      return true
    } catch (error) {
      problem.value = globalThis.isSecureContext ? problemOf(error) : 'insecure'
      return false
    } finally {
      opening.value = false
    }
  }

  /** A camera was pulled out: say so instead of showing a frozen picture. */
  function onEnded(stream: MediaStream): void {
    if (local.value !== stream) return
    problem.value = 'missing'
    stopStream(stream)
    local.value = null
  }

  async function choose(kind: 'camera' | 'microphone', deviceId: string): Promise<void> {
    choice.value = { ...choice.value, [kind]: deviceId }
    storeChoice(choice.value)
    await open()
  }

  function close(): void {
    leave()
    stopStream(local.value)
    local.value = null
  }

  /** Join a call's media; the same call twice is the same as once. */
  async function join(call_id: string): Promise<void> {
    if (joined === call_id) return
    const waiting = joined === LOBBY && session?.state === 'connected' ? session : null
    if (!waiting) leave()
    joined = call_id
    if (waiting) {
      if ((await enter(waiting, call_id)) || joined !== call_id) return
      leave()
      joined = call_id
    }
    if (!usable.value && !(await open())) {
      joined = null
      return
    }
    if (joined !== call_id || !local.value) return
    await newSession().join(reach(call_id), local.value)
  }

  function newSession(): MediaSession {
    const fresh = new MediaSession()
    session = fresh
    fresh.events.on('state', (next) => {
      state.value = next
      if (next === 'connected') joinFailed.value = false
      if (next === 'recovering') doubts.value += 1
    })
    fresh.events.on('silent', () => (doubts.value += 1))
    fresh.events.on('remote', (stream) => (remote.value = stream))
    fresh.events.on('join_failed', () => (joinFailed.value = joined !== LOBBY))
    return fresh
  }

  /** Connect before there is a call, so that the customer sees the teller at once. Nothing is sent yet. */
  async function warmUp(): Promise<void> {
    if (joined !== null || !usable.value || !local.value) return
    joined = LOBBY
    const fresh = newSession()
    fresh.setProfile('off')
    ageing = setInterval(() => joined === LOBBY && void fresh.rejoin(), LOBBY_MS)
    await fresh.join(reach(null), local.value)
  }

  /** There will be no call for now. */
  function coolDown(): void {
    if (joined === LOBBY) leave()
  }

  /** Takes the connection that waited into the call; false when the server cannot use it there. */
  async function enter(waiting: MediaSession, call_id: string): Promise<boolean> {
    const { peer_id } = waiting
    if (peer_id === null) return false
    waiting.handOver(reach(call_id))
    waiting.setProfile('full')
    try {
      await useServer().socket.request('media.enter', { call_id, peer_id })
      return true
    } catch {
      return false
    }
  }

  function reach(call_id: string | null): MediaTransport {
    const { socket } = useServer()
    return {
      join: () => socket.request('media.join', { call_id }),
      answer: (peer_id, sdp_answer) => socket.request('media.answer', { call_id, peer_id, sdp_answer }),
    }
  }

  /** The socket came back: keep the connection if it still works. */
  async function ensure(): Promise<void> {
    await session?.ensure()
  }

  /** The server no longer hears us although the browser believes to be connected. */
  async function distrust(): Promise<void> {
    await session?.distrust()
  }

  /** The teller asks for a new connection. */
  async function rejoin(): Promise<void> {
    joinFailed.value = false
    await session?.rejoin()
  }

  /** Show the customer a screen, a window or a tab, which the browser asks for; false when the teller chose none. */
  async function share(): Promise<boolean> {
    const stream = await navigator.mediaDevices
      .getDisplayMedia({ video: { frameRate: { max: 8 } }, audio: false })
      .catch(() => null)
    const track = stream?.getVideoTracks()[0]
    if (!stream || !track || !session) {
      stopStream(stream)
      return false
    }
    track.contentHint = 'detail'
    stopStream(screen.value)
    screen.value = stream
    await session.shareScreen(track)
    return true
  }

  async function unshare(): Promise<void> {
    stopStream(screen.value)
    screen.value = null
    await session?.shareScreen(null)
  }

  function setPicture(profile: PictureProfile): void {
    void session?.setPicture(profile)
  }

  function leave(): void {
    stopStream(screen.value)
    screen.value = null
    clearInterval(ageing)
    session?.leave()
    session?.events.clear()
    session = null
    joined = null
    remote.value = null
    state.value = 'idle'
    joinFailed.value = false
    muted.value = false
    cameraOff.value = false
    applyMute()
  }

  function applyMute(): void {
    for (const track of local.value?.getTracks() ?? []) {
      track.enabled = track.kind === 'audio' ? !muted.value : !cameraOff.value
    }
  }

  function toggleMute(): void {
    muted.value = !muted.value
    applyMute()
  }

  function toggleCamera(): void {
    cameraOff.value = !cameraOff.value
    applyMute()
  }

  return {
    local, opening, problem, choice, cameras, microphones, usable, remote, state, joinFailed, doubts, muted, cameraOff, screen, setPicture, warmUp, coolDown,
    share, unshare, open, choose, close, join, ensure, distrust, rejoin, leave, toggleMute, toggleCamera,
  }
})
