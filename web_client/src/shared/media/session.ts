import { Emitter } from '../emitter'
import type { MediaOffer } from '../protocol'
import { SilenceWatch } from './silence'
import { tuneCamera, tuneSenders, type PictureProfile, type SendProfile } from './tuning'

/** How a session reaches the server: two messages of the socket. */
export interface MediaTransport {
  join(): Promise<MediaOffer>
  answer(peer_id: string, sdp_answer: string): Promise<unknown>
}

/**
 * - `idle`: never joined, or left
 * - `joining`: first connection on its way
 * - `connected`
 * - `recovering`: was connected; a new connection is being made
 */
export type MediaState = 'idle' | 'joining' | 'connected' | 'recovering'

interface MediaEvents {
  state: MediaState
  /** The other party's stream; a new object for every connection. */
  remote: MediaStream
  /** The slot of the other party's screen; it shows something once the server says that a screen is shared. */
  screen: MediaStream
  /** A third party's stream: of an expert, or (for those who listen in) of the teller. */
  third: MediaStream
  /** Nothing comes from the server any more; the browser has not called the connection broken yet. */
  silent: undefined
  /** A join failed; another one follows after `retry_ms`. */
  join_failed: { error: unknown; retry_ms: number }
}

export interface MediaSessionOptions {
  createPeer?: (config: RTCConfiguration) => RTCPeerConnection
  /** Longest wait for ICE candidates before the answer is sent, ms. */
  gather_cap_ms?: number
  /** How long `disconnected` may last before a new connection is made, ms. */
  grace_ms?: number
}

/** From when on news about a connection are about this one, not about its predecessor. */
const SETTLED_MS = 5000
/** A relay behind TLS on a slow line takes some seconds to answer. */
const RELAY_ONLY_CAP_MS = 8000
/** A relay that is reached one way may still be reached a better way; not for longer than this. */
const RELAY_FOUND_MS = 300
const BACKOFF_MS = [0, 500, 1000, 2000, 4000] as const

/**
 * One seat's media: a connection the server offers and this side answers, made anew whenever it
 * fails. The local stream is lent by the caller and outlives every connection.
 */
export class MediaSession {
  readonly events = new Emitter<MediaEvents>()
  remote = new MediaStream()
  /** The server's name of the newest connection. */
  peer_id: string | null = null
  state: MediaState = 'idle'
  private readonly options: Required<MediaSessionOptions>
  private transport: MediaTransport | null = null
  /** The screen this side shares. */
  private shared: MediaStreamTrack | null = null
  private local: MediaStream | null = null
  private peer: RTCPeerConnection | null = null
  /** Each attempt has a number; answers of an attempt that is no longer the current one are dropped. */
  private attempt = 0
  private failures = 0
  private profile: SendProfile = 'full'
  private picture: PictureProfile = 'vga'
  private connected_at_ms = 0
  private tuning: Promise<void> = Promise.resolve()
  private timer: ReturnType<typeof setTimeout> | undefined
  private silence: SilenceWatch | undefined

  constructor(options: MediaSessionOptions = {}) {
    this.options = {
      createPeer: (config) => new RTCPeerConnection(config),
      gather_cap_ms: 1500,
      grace_ms: 1000,
      ...options,
    }
  }

  /** Opens the connection; resolves when the answer is on its way. Failures are retried with back-off. */
  async join(transport: MediaTransport, local: MediaStream): Promise<void> {
    this.transport = transport
    this.local = local
    this.failures = 0
    this.setState('joining')
    await this.connect()
  }

  /** The connection has been given another purpose: from now on the server is reached this way. */
  handOver(transport: MediaTransport): void {
    this.transport = transport
  }

  /** Makes a new connection in the same seat, e.g. after the socket came back. */
  async rejoin(): Promise<void> {
    if (this.state === 'idle') return
    this.setState('recovering')
    await this.connect()
  }

  /** The server dropped this peer or the socket came back: keep a connection that still works. */
  async ensure(): Promise<void> {
    await this.silence?.look() // where only the network was away, sound is back as soon as the socket
    if (this.peer?.connectionState !== 'connected' || this.isSilent()) await this.rejoin()
  }

  /**
   * The server hears nothing from us although this side believes to be connected. A connection that
   * is only just up is left alone: the news may be about the one before.
   */
  async distrust(): Promise<void> {
    if (this.state === 'connected' && performance.now() - this.connected_at_ms > SETTLED_MS) await this.rejoin()
  }

  /** Puts other tracks (a changed camera) into the running connection. */
  async replaceLocal(local: MediaStream): Promise<void> {
    this.local = local
    for (const transceiver of this.peer?.getTransceivers() ?? []) {
      if (transceiver === (this.peer && screenSlot(this.peer))) continue
      const kind = transceiver.receiver.track.kind
      const track = local.getTracks().find((each) => each.kind === kind)
      if (track && transceiver.sender.track?.kind === kind) await transceiver.sender.replaceTrack(track)
    }
  }

  /** Shows a screen in its slot, without renegotiation; null ends it. A new connection goes on showing it. */
  async shareScreen(track: MediaStreamTrack | null): Promise<void> {
    this.shared = track
    if (!this.peer) return
    await screenSlot(this.peer)?.sender.replaceTrack(track)
    await this.tune()
  }

  /** How much to send: `off` nothing at all, `warm` keeps the transport alive while nobody looks yet. */
  setProfile(profile: SendProfile): void {
    if (profile === this.profile) return
    this.profile = profile
    void this.tune()
  }

  /** The server's word on the picture, applied without renegotiation. */
  async setPicture(picture: PictureProfile): Promise<void> {
    if (picture === this.picture) return
    this.picture = picture
    await this.tune()
    if (this.local) await tuneCamera(this.local, picture)
  }

  setMuted(kind: 'audio' | 'video', muted: boolean): void {
    for (const track of this.local?.getTracks() ?? []) if (track.kind === kind) track.enabled = !muted
  }

  leave(): void {
    this.attempt += 1
    clearTimeout(this.timer)
    this.dropPeer()
    this.transport = null
    this.shared = null
    this.peer_id = null
    this.picture = 'vga'
    this.setState('idle')
  }

  /** Only a call that is on has something to hear all the time. */
  private isSilent(): boolean {
    return this.profile === 'full' && (this.silence?.silent ?? false)
  }

  private async connect(): Promise<void> {
    const attempt = ++this.attempt
    clearTimeout(this.timer)
    try {
      await this.negotiate(attempt)
    } catch (error) {
      if (attempt === this.attempt) this.retry(error)
    }
  }

  private async negotiate(attempt: number): Promise<void> {
    const { transport, local } = this
    if (!transport || !local) return
    const offer = await transport.join()
    if (attempt !== this.attempt) return
    this.dropPeer()
    const peer = this.options.createPeer({
      iceServers: iceServers(offer),
      iceTransportPolicy: offer.ice_transport_policy,
      bundlePolicy: 'max-bundle',
    })
    this.peer = peer
    this.peer_id = offer.peer_id
    this.remote = new MediaStream()
    this.watch(peer)
    await peer.setRemoteDescription({ type: 'offer', sdp: offer.sdp_offer })
    await this.attachLocal(peer, local)
    await peer.setLocalDescription(await peer.createAnswer())
    await gathered(peer, this.gatherCap(offer))
    if (attempt !== this.attempt) return
    await transport.answer(offer.peer_id, peer.localDescription?.sdp ?? '')
    await this.tune()
  }

  /** Sends what is to be sent now. One change of the senders after the other: of two at once, one fails. */
  private tune(): Promise<void> {
    this.tuning = this.tuning.then(async () => {
      const { peer, local } = this
      if (!peer || !local) return
      // A connection that is being closed takes no tracks any more.
      await this.attachLocal(peer, local).catch(() => undefined)
      await tuneSenders(peer, this.profile, this.picture)
    })
    return this.tuning
  }

  /** Without a relay all candidates are local ones, there in a few milliseconds; with nothing else the relay's must come. */
  private gatherCap(offer: MediaOffer): number {
    if (offer.ice_servers.length === 0) return 300
    return offer.ice_transport_policy === 'relay' ? RELAY_ONLY_CAP_MS : this.options.gather_cap_ms
  }

  /** Local tracks take the first offered slot of their kind in which the server receives. */
  private async attachLocal(peer: RTCPeerConnection, local: MediaStream): Promise<void> {
    const open = receivingMids(peer.remoteDescription?.sdp ?? '')
    const taken = new Set<RTCRtpTransceiver>()
    for (const track of local.getTracks()) {
      const slot = peer
        .getTransceivers()
        .find((each) => open.has(each.mid) && !taken.has(each) && each.receiver.track.kind === track.kind)
      if (!slot) continue
      taken.add(slot)
      slot.direction = 'sendrecv'
      slot.sender.setStreams?.(local)
      if (this.profile !== 'off' && slot.sender.track !== track) await slot.sender.replaceTrack(track)
    }
    const screen = screenSlot(peer)
    if (!screen) return
    // Promised now, filled when needed: that is what makes renegotiation unnecessary.
    screen.direction = 'sendonly'
    if (this.shared) await screen.sender.replaceTrack(this.shared)
  }

  private watch(peer: RTCPeerConnection): void {
    this.silence = new SilenceWatch(peer, () => this.isSilent() && this.events.emit('silent', undefined))
    peer.ontrack = ({ track, streams }) => {
      if (streams?.[0]?.id === 'screen') this.events.emit('screen', streams[0])
      else {
        if (streams?.[0]?.id === 'third') this.events.emit('third', streams[0])
        this.addRemote(track)
      }
    }
    peer.onconnectionstatechange = () => {
      if (peer !== this.peer) return
      clearTimeout(this.timer)
      if (peer.connectionState === 'connected') {
        this.attempt += 1 // one that came back by itself needs no successor
        this.failures = 0
        this.connected_at_ms = performance.now()
        this.setState('connected')
      } else if (peer.connectionState === 'failed' || peer.connectionState === 'closed') {
        void this.rejoin()
      } else if (peer.connectionState === 'disconnected') {
        this.timer = setTimeout(() => void this.rejoin(), this.options.grace_ms)
      }
    }
  }

  private addRemote(track: MediaStreamTrack): void {
    // The first slot of each kind is the other party. Further voices (expert, supervisor) join in when they speak up.
    if (this.remote.getTracks().some((each) => each.kind === track.kind)) {
      const { remote } = this
      if (track.kind === 'audio') track.addEventListener('unmute', () => remote.addTrack(track), { once: true })
      return
    }
    this.remote.addTrack(track)
    this.events.emit('remote', this.remote)
  }

  private dropPeer(): void {
    const peer = this.peer
    this.peer = null
    this.silence?.stop()
    if (!peer) return
    peer.onconnectionstatechange = null
    peer.ontrack = null
    peer.close()
  }

  private retry(error: unknown): void {
    this.failures += 1
    const retry_ms = BACKOFF_MS[Math.min(this.failures, BACKOFF_MS.length - 1)] ?? 4000
    this.events.emit('join_failed', { error, retry_ms })
    this.timer = setTimeout(() => void this.connect(), retry_ms)
  }

  private setState(state: MediaState): void {
    if (state === this.state) return
    this.state = state
    this.events.emit('state', state)
  }
}

/** The servers as the browser wants them: no null for what a STUN server has not. */
function iceServers(offer: MediaOffer): RTCIceServer[] {
  return offer.ice_servers.map(({ urls, username, credential }) =>
    username && credential ? { urls, username, credential } : { urls },
  )
}

/**
 * Waits for all candidates, at most `cap_ms`, and little longer once a relay has been reached: where a firewall
 * swallows one of the relay's transports, gathering would end only after many seconds.
 */
export function gathered(peer: RTCPeerConnection, cap_ms: number): Promise<void> {
  if (peer.iceGatheringState === 'complete') return Promise.resolve()
  return new Promise((resolve) => {
    const timers = [setTimeout(done, cap_ms)]
    function done(): void {
      timers.forEach(clearTimeout)
      peer.removeEventListener('icegatheringstatechange', check)
      peer.removeEventListener('icecandidate', found)
      resolve()
    }
    function check(): void {
      if (peer.iceGatheringState === 'complete') done()
    }
    function found({ candidate }: RTCPeerConnectionIceEvent): void {
      if (candidate?.candidate.includes(' typ relay')) timers.push(setTimeout(done, RELAY_FOUND_MS))
    }
    peer.addEventListener('icegatheringstatechange', check)
    peer.addEventListener('icecandidate', found)
  })
}

/** The `mid`s of an offer's sections in which the offering side is ready to receive. */
export function receivingMids(sdp: string): Set<string | null> {
  const mids = new Set<string | null>()
  for (const section of sdp.split(/^m=/m).slice(1)) {
    const mid = /^a=mid:(\S+)/m.exec(section)?.[1]
    if (mid !== undefined && !/^a=(sendonly|inactive)\s*$/m.test(section)) mids.add(mid)
  }
  return mids
}

/** The slot in which the offering side only receives: for a screen of ours. */
function screenSlot(peer: RTCPeerConnection): RTCRtpTransceiver | undefined {
  const sections = (peer.remoteDescription?.sdp ?? '').split(/^m=/m).slice(1)
  const section = sections.find((each) => /^a=recvonly\s*$/m.test(each))
  const mid = section && /^a=mid:(\S+)/m.exec(section)?.[1]
  return mid === undefined ? undefined : peer.getTransceivers().find((each) => each.mid === mid)
}
