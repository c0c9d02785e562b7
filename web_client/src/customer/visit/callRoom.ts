import { reactive, shallowRef } from 'vue'
import { Emitter } from '@shared/emitter'
import type { ApiError } from '@shared/errors'
import type { MediaSession, MediaState } from '@shared/media/session'
import type { Caption, CustomerCall, CustomerEvents, CustomerRequests, MediaNotice, MostPicture, Picture, SeatState } from '@shared/protocol'
import type { LinkState, SocketManager } from '@shared/socket'
import { foldCaption } from './captions'
import type { LeaveReason } from './desk'
import { stepOf } from './steps'

export type CustomerSocket = SocketManager<CustomerRequests, CustomerEvents>

export interface CallRoomState {
  call: CustomerCall | null
  link: LinkState
  media: MediaState
  /** The teller's connection as the server sees it. */
  teller: SeatState
  muted: boolean
  cameraOff: boolean
  captionsOn: boolean
  captions: Caption[]
  /** What each party sends, and why; absent until the server has said. */
  pictures: Partial<Record<MediaNotice['seat'], Picture>>
  /** How good each party's connection is, 0 to 4 bars; absent until the server has measured it. */
  quality: Partial<Record<MediaNotice['seat'], number>>
}

interface CallRoomEvents {
  call: CustomerCall
  refused: ApiError
  /** After a break the server knows no call of ours any more. */
  gone: undefined
}

export type DeclaredClass = 'elderly' | 'disabled'

/** Whoever reads the notice for longer than this has the transport opened after agreeing. */
const WARM_MS = 300_000

/** From the queue to the hang-up: socket, media and what both say, in one place. */
export class CallRoom {
  readonly events = new Emitter<CallRoomEvents>()
  readonly remote = shallowRef<MediaStream | null>(null)
  /** The slot of the teller's screen. */
  readonly screen = shallowRef<MediaStream | null>(null)
  readonly state = reactive<CallRoomState>({
    call: null,
    link: 'idle',
    media: 'idle',
    teller: 'connected',
    muted: false,
    cameraOff: false,
    captionsOn: false,
    captions: [],
    quality: {},
    pictures: {},
  })

  /** The call the media connection is for; it may not have begun yet. */
  private mediaCall: string | null = null
  private cooling: ReturnType<typeof setTimeout> | undefined

  constructor(
    private readonly socket: CustomerSocket,
    private readonly media: MediaSession,
  ) {
    socket.link.on('state', (state) => (this.state.link = state))
    socket.link.on('refused', (error) => this.events.emit('refused', error))
    socket.link.on('resumed', () => void this.resume())
    socket.on('call.state', (call) => this.apply(call))
    socket.on('caption', (caption) => {
      if (this.state.captionsOn) this.state.captions = foldCaption(this.state.captions, caption)
    })
    socket.on('media.notice', ({ seat, state }) => {
      if (seat === 'teller') this.state.teller = state
      else if (state === 'lost') void this.media.distrust()
    })
    socket.on('media.quality', ({ seat, bars }) => (this.state.quality[seat] = bars))
    socket.on('media.profile', ({ seat, profile, why, shown }) => {
      this.state.pictures[seat] = { profile, why, shown }
      if (seat === 'customer') void this.media.setPicture(profile)
    })
    media.events.on('state', (state) => {
      this.state.media = state
      if (state === 'recovering') this.doubtSocket()
    })
    media.events.on('silent', () => this.doubtSocket())
    window.addEventListener('online', () => this.doubtSocket())
    media.events.on('remote', (stream) => (this.remote.value = stream))
    media.events.on('screen', (stream) => (this.screen.value = stream))
  }

  connect(): void {
    this.socket.connect()
  }

  /** Opens the media transport while the notice is being read. Nothing is sent through it before the customer agrees. */
  warmUp(local: MediaStream): void {
    if (this.state.call || this.media.state !== 'idle') return
    this.media.setProfile('off')
    this.openMedia(local)
    this.cooling = setTimeout(() => this.state.call === null && this.stopMedia(), WARM_MS)
  }

  /** Joins the queue; from now on media may be sent. */
  async join(local: MediaStream, declared: DeclaredClass | null = null): Promise<void> {
    const { call } = await this.socket.request('queue.join', declared ? { declared } : {})
    this.apply(call)
    this.startMedia(local)
  }

  /** Joins the queue to write: without camera, microphone and recording. */
  async joinToWrite(): Promise<void> {
    const { call } = await this.socket.request('queue.join', { channel: 'text' })
    this.apply(call)
  }

  /** What was in writing goes on by video. */
  async goOnByVideo(local: MediaStream): Promise<void> {
    await this.socket.request('text.video', {})
    const { call } = await this.socket.request('call.snapshot', {})
    if (call) this.apply(call)
    this.startMedia(local)
  }

  async declineVideo(): Promise<void> {
    await this.socket.request('text.decline', {})
  }

  /** The call as the server has it; null when there is none. */
  async snapshot(): Promise<CustomerCall | null> {
    const { call } = await this.socket.request('call.snapshot', {})
    if (call) this.apply(call)
    return call
  }

  startMedia(local: MediaStream): void {
    this.follow()
    const warm = this.media.state !== 'idle' && [null, this.state.call?.call_id].includes(this.mediaCall)
    if (!warm) this.openMedia(local)
    this.follow()
  }

  private openMedia(local: MediaStream): void {
    this.mediaCall = null
    // Failures are retried inside the session; what the customer sees is `state.media`.
    void this.media.join(
      {
        join: async () => {
          const offer = await this.socket.request('media.join', {})
          this.mediaCall = offer.call_id
          return offer
        },
        answer: (peer_id, sdp_answer) => this.socket.request('media.answer', { peer_id, sdp_answer }),
      },
      local,
    )
  }

  /** Other devices in the running call, e.g. after a camera was unplugged. */
  replaceLocal(local: MediaStream): Promise<void> {
    const done = this.media.replaceLocal(local)
    this.follow()
    return done
  }

  async leaveQueue(reason: LeaveReason): Promise<void> {
    await this.socket.request('queue.leave', { reason })
  }

  async hangUp(): Promise<void> {
    await this.socket.request('call.hangup', {})
  }

  async setCaptions(on: boolean): Promise<void> {
    this.state.captionsOn = on
    if (!on) this.state.captions = []
    try {
      await this.socket.request('captions.set', { on })
    } catch (error) {
      this.state.captionsOn = !on
      throw error
    }
  }

  /** Sends no more picture than this; the server tells when it holds. */
  async limitPicture(most: MostPicture): Promise<void> {
    await this.socket.request('media.picture', { most })
  }

  toggleMute(): void {
    this.state.muted = !this.state.muted
    this.follow()
  }

  toggleCamera(): void {
    this.state.cameraOff = !this.state.cameraOff
    this.follow()
  }

  stopMedia(): void {
    clearTimeout(this.cooling)
    this.media.leave()
    this.remote.value = null
    this.screen.value = null
  }

  close(): void {
    this.stopMedia()
    this.socket.close()
    Object.assign(this.state, { call: null, teller: 'connected', muted: false, cameraOff: false, captionsOn: false })
    this.state.captions = []
    this.state.quality = {}
    this.state.pictures = {}
  }

  private apply(call: CustomerCall): void {
    this.state.call = call
    this.follow()
    this.events.emit('call', call)
  }

  /** What leaves the microphone and the camera follows the call: nothing is heard before a teller is there. */
  private follow(): void {
    const call = this.state.call
    if (!call) return
    const step = stepOf(call)
    if (step === 'rating' || step === 'ended' || call.channel === 'text') return this.stopMedia()
    this.media.setProfile(call.state === 'queued' ? 'warm' : 'full')
    this.media.setMuted('audio', step === 'waiting' || this.state.muted)
    this.media.setMuted('video', step === 'call' && this.state.cameraOff)
  }

  /** The network that took the media away may have taken the socket with it. */
  private doubtSocket(): void {
    void this.socket.probe('call.snapshot', {})
  }

  private async resume(): Promise<void> {
    try {
      if ((await this.snapshot()) === null) return this.events.emit('gone', undefined)
      if (this.state.captionsOn) await this.setCaptions(true)
      if (this.state.call?.channel !== 'text') await this.media.ensure()
    } catch {
      // The connection broke again; the next 'resumed' asks once more.
    }
  }
}
