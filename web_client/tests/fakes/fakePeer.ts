/** Browser media objects without a browser: just enough for `MediaSession` to be watched. */

export class FakeTrack extends EventTarget {
  enabled = true
  contentHint = ''
  readyState: 'live' | 'ended' = 'live'
  constructor(readonly kind: 'audio' | 'video') {
    super()
  }
  constraints: object = { width: 640 }
  getConstraints(): object {
    return this.constraints
  }
  async applyConstraints(constraints: object): Promise<void> {
    this.constraints = constraints
  }
  stop(): void {
    this.readyState = 'ended'
  }
}

export class FakeStream {
  private readonly tracks: FakeTrack[]
  constructor(tracks: FakeTrack[] = []) {
    this.tracks = [...tracks]
  }
  getTracks(): FakeTrack[] {
    return [...this.tracks]
  }
  getVideoTracks(): FakeTrack[] {
    return this.tracks.filter((track) => track.kind === 'video')
  }
  getAudioTracks(): FakeTrack[] {
    return this.tracks.filter((track) => track.kind === 'audio')
  }
  addTrack(track: FakeTrack): void {
    this.tracks.push(track)
  }
}

export function cameraAndMicrophone(): MediaStream {
  return new FakeStream([new FakeTrack('audio'), new FakeTrack('video')]) as unknown as MediaStream
}

export class FakeSender {
  track: FakeTrack | null = null
  parameters = { encodings: [{}] as Record<string, unknown>[] }
  async replaceTrack(track: FakeTrack | null): Promise<void> {
    this.track = track
  }
  getParameters(): { encodings: Record<string, unknown>[] } {
    return structuredClone(this.parameters)
  }
  async setParameters(parameters: { encodings: Record<string, unknown>[] }): Promise<void> {
    this.parameters = parameters
  }
}

export interface FakeTransceiver {
  mid: string
  direction: string
  sender: FakeSender
  receiver: { track: FakeTrack }
}

/** Answers an offer of one section per `m=` line. */
export class FakePeer extends EventTarget {
  connectionState: RTCPeerConnectionState = 'new'
  iceGatheringState: RTCIceGatheringState = 'complete'
  remoteDescription: RTCSessionDescriptionInit | null = null
  localDescription: RTCSessionDescriptionInit | null = null
  transceivers: FakeTransceiver[] = []
  closed = false
  onconnectionstatechange: (() => void) | null = null
  ontrack: ((event: { track: FakeTrack }) => void) | null = null

  async setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
    this.remoteDescription = description
    for (const section of (description.sdp ?? '').split(/^m=/m).slice(1)) {
      const kind = section.startsWith('audio') ? 'audio' : 'video'
      const mid = /^a=mid:(\S+)/m.exec(section)?.[1] ?? ''
      const track = new FakeTrack(kind)
      this.transceivers.push({ mid, direction: 'recvonly', sender: new FakeSender(), receiver: { track } })
      this.ontrack?.({ track })
    }
  }

  async createAnswer(): Promise<RTCSessionDescriptionInit> {
    return { type: 'answer', sdp: 'v=0 answer' }
  }

  async setLocalDescription(description: RTCSessionDescriptionInit): Promise<void> {
    this.localDescription = description
  }

  getTransceivers(): FakeTransceiver[] {
    return this.transceivers
  }

  getSenders(): FakeSender[] {
    return this.transceivers.map((each) => each.sender)
  }

  close(): void {
    this.closed = true
  }

  /** The connection moves on. */
  become(state: RTCPeerConnectionState): void {
    this.connectionState = state
    this.onconnectionstatechange?.()
  }
}

export const OFFER_SDP = [
  'v=0',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'a=mid:0',
  'a=sendrecv',
  'm=video 9 UDP/TLS/RTP/SAVPF 100',
  'a=mid:1',
  'a=sendrecv',
  'm=video 9 UDP/TLS/RTP/SAVPF 100',
  'a=mid:2',
  'a=sendonly',
  'm=audio 9 UDP/TLS/RTP/SAVPF 111',
  'a=mid:3',
  'a=sendonly',
  '',
].join('\r\n')
