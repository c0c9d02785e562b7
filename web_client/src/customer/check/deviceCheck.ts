import { reactive, shallowRef } from 'vue'
import { Emitter } from '@shared/emitter'
import { openCapture, problemBefore, problemOf, stopStream, type DeviceProblem } from '@shared/media/devices'
import { follow, HEARD_LEVEL, levelOf, rms } from './gauge'
import { checkNetwork, type NetworkGrade } from './network'
import { playChime, watchLevel } from './sound'

export interface DeviceCheckState {
  devices: 'idle' | 'asking' | 'ready' | 'problem'
  problem: DeviceProblem | null
  /** The camera is open (false: talking without a picture). */
  video: boolean
  level: number
  heard: boolean
  network: NetworkGrade | 'checking'
  speaker: 'idle' | 'playing' | 'played'
}

export interface DeviceCheckParts {
  capture: typeof openCapture
  level: typeof watchLevel
  chime: typeof playChime
  roundTrip: () => Promise<number>
  before: () => DeviceProblem | null
}

function browserProblem(): DeviceProblem | null {
  const hasMedia = typeof navigator.mediaDevices?.getUserMedia === 'function' && 'RTCPeerConnection' in globalThis
  return problemBefore(navigator.userAgent, globalThis.isSecureContext, hasMedia)
}

/** Opens the devices once and keeps them: the call uses the stream that was checked. */
export class DeviceCheck {
  readonly events = new Emitter<{ /** Other devices took the place of those that went away. */ replaced: MediaStream }>()
  readonly stream = shallowRef<MediaStream | null>(null)
  readonly state = reactive<DeviceCheckState>({
    devices: 'idle',
    problem: null,
    video: false,
    level: 0,
    heard: false,
    network: 'checking',
    speaker: 'idle',
  })
  private readonly parts: DeviceCheckParts
  private wished = true
  private stopLevel: (() => void) | null = null
  /** Joins callers that ask while the browser's question is still open. */
  private opening: Promise<MediaStream | null> | null = null
  /** Numbers the questions, so that the answer to one that was given up is thrown away. */
  private asking = 0

  constructor(parts: Partial<DeviceCheckParts> & Pick<DeviceCheckParts, 'roundTrip'>) {
    this.parts = { capture: openCapture, level: watchLevel, chime: playChime, before: browserProblem, ...parts }
  }

  /** Begins the check; the two halves run side by side. */
  async start(): Promise<void> {
    await Promise.all([this.open(true).then(() => this.showLevel()), this.testNetwork()])
  }

  /** Opens the devices, or gives the stream that is already open. Null: see `state.problem`. */
  open(video: boolean): Promise<MediaStream | null> {
    const open = this.stream.value
    if (open && open.getTracks().every((track) => track.readyState === 'live') && this.state.video === video) {
      return Promise.resolve(open)
    }
    if (this.opening) return this.opening
    const opening = this.ask(video).finally(() => {
      if (this.opening === opening) this.opening = null
    })
    this.opening = opening
    return opening
  }

  async withoutCamera(): Promise<void> {
    await this.open(false)
    this.showLevel()
  }

  /** Opens devices again after some went away. */
  async reopen(): Promise<void> {
    const stream = await this.open(this.wished)
    if (stream) this.events.emit('replaced', stream)
  }

  async testNetwork(): Promise<void> {
    this.state.network = 'checking'
    this.state.network = await checkNetwork(this.parts.roundTrip)
  }

  async testSpeaker(): Promise<void> {
    if (this.state.speaker === 'playing') return
    this.state.speaker = 'playing'
    await this.parts.chime()
    this.state.speaker = 'played'
  }

  showLevel(): void {
    this.hideLevel()
    const stream = this.stream.value
    if (!stream) return
    this.stopLevel = this.parts.level(stream, (samples) => {
      this.state.level = follow(this.state.level, levelOf(rms(samples)))
      if (this.state.level >= HEARD_LEVEL) this.state.heard = true
    })
  }

  hideLevel(): void {
    this.stopLevel?.()
    this.stopLevel = null
    this.state.level = 0
  }

  /** Camera and microphone go dark. */
  release(): void {
    this.asking += 1
    this.opening = null
    this.hideLevel()
    stopStream(this.stream.value)
    this.stream.value = null
    Object.assign(this.state, { devices: 'idle', problem: null, video: false, heard: false, speaker: 'idle' })
  }

  private async ask(video: boolean): Promise<MediaStream | null> {
    this.wished = video
    const asking = ++this.asking
    const problem = this.parts.before()
    if (problem) return this.fail(problem)
    this.state.devices = 'asking'
    this.state.problem = null
    try {
      const stream = await this.parts.capture({ video })
      if (asking !== this.asking) {
        stopStream(stream) // not wanted any more: nobody's camera stays on behind a page without a picture
        return null
      }
      stopStream(this.stream.value)
      this.stream.value = stream
      for (const track of stream.getTracks()) track.addEventListener('ended', () => this.onEnded(stream))
      this.state.video = stream.getVideoTracks().length > 0
      this.state.devices = 'ready'
      return stream
    } catch (error) {
      return this.fail(problemOf(error))
    }
  }

  /** A device was unplugged or its permission withdrawn; our own `stop()` does not come here. */
  private onEnded(stream: MediaStream): void {
    if (stream === this.stream.value) void this.reopen()
  }

  private fail(problem: DeviceProblem): null {
    this.state.devices = 'problem'
    this.state.problem = problem
    return null
  }
}
