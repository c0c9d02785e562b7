/**
 * One clock for two videos. The clock is ours; each video follows it, shifted by the offset of its file, nudged when it
 * drifts and set anew when it is far off. While one of them has nothing to play yet, everything waits.
 */

/** The part of HTMLMediaElement the player needs. */
export interface MediaLike {
  currentTime: number
  playbackRate: number
  readonly paused: boolean
  readonly readyState: number
  readonly seeking: boolean
  readonly ended: boolean
  play(): Promise<void>
  pause(): void
}

export interface Track {
  media: MediaLike
  offset_s: number
  duration_s: number
}

export type PlayerState = 'paused' | 'playing' | 'waiting'

/** Nudge from this drift on, seconds. Below it nobody sees or hears a difference. */
const NUDGE_FROM_S = 0.04
/** Above this drift a nudge would take too long: jump. */
const JUMP_FROM_S = 0.35
const NUDGE = 0.06
/** Speed in pauses. Browsers play up to 16; at 8 decoders still keep up, and faces can be told. */
const RUSH_RATE = 8
/** In a pause it matters less where exactly a picture is. */
const RUSH_JUMP_FROM_S = 2
/** HTMLMediaElement.HAVE_FUTURE_DATA */
const ENOUGH_DATA = 3

export class SyncPlayer {
  state: PlayerState = 'paused'
  rate = 1
  private rushing = false
  private anchorPosition = 0
  private anchorAt: number
  private wanted = false

  /** @param now Milliseconds, monotonic. */
  constructor(
    readonly tracks: Track[],
    readonly total_s: number,
    private readonly now: () => number = () => performance.now(),
  ) {
    this.anchorAt = now()
  }

  /** Seconds on the call's time line. */
  get position(): number {
    const moved = this.state === 'playing' ? ((this.now() - this.anchorAt) / 1000) * this.pace : 0
    return Math.min(this.total_s, this.anchorPosition + moved)
  }

  play(): void {
    if (this.position >= this.total_s) this.seek(0)
    this.wanted = true
    this.tick()
  }

  pause(): void {
    this.wanted = false
    this.hold('paused')
    for (const track of this.tracks) this.follow(track, true)
  }

  toggle(): void {
    if (this.wanted) this.pause()
    else this.play()
  }

  /** Go to a second of the call, keeping play or pause. */
  seek(seconds: number): void {
    this.anchorPosition = Math.min(this.total_s, Math.max(0, seconds))
    this.anchorAt = this.now()
    for (const track of this.tracks) {
      track.media.currentTime = this.localTime(track)
    }
  }

  setRate(rate: number): void {
    this.change(() => (this.rate = rate))
  }

  /** Pauses in the talk are rushed through; the pace of the talk stays what was chosen. */
  setRushing(on: boolean): void {
    if (on !== this.rushing) this.change(() => (this.rushing = on))
  }

  private change(setting: () => void): void {
    this.anchorPosition = this.position
    this.anchorAt = this.now()
    setting()
    for (const track of this.tracks) track.media.playbackRate = this.pace
  }

  private get pace(): number {
    return this.rushing ? Math.max(RUSH_RATE, this.rate) : this.rate
  }

  /** Call on every frame. Returns the position. */
  tick(): number {
    if (!this.wanted) return this.position
    if (this.position >= this.total_s) {
      this.pause()
      return this.position
    }
    const starving = this.tracks.some((track) => this.inside(track) && !ready(track.media))
    if (starving) this.hold('waiting')
    else if (this.state !== 'playing') this.run()
    // The starving one stays asked to play: some browsers fetch no further while paused.
    for (const track of this.tracks) this.follow(track, starving && ready(track.media))
    return this.position
  }

  private run(): void {
    this.anchorAt = this.now()
    this.state = 'playing'
  }

  private hold(state: 'paused' | 'waiting'): void {
    this.anchorPosition = this.position
    this.anchorAt = this.now()
    this.state = state
  }

  private localTime(track: Track): number {
    return Math.min(track.duration_s, Math.max(0, this.position - track.offset_s))
  }

  private inside(track: Track): boolean {
    const local = this.position - track.offset_s
    return local >= 0 && local < track.duration_s && !track.media.ended
  }

  private follow(track: Track, still: boolean): void {
    const { media } = track
    if (still || !this.inside(track)) {
      if (!media.paused) media.pause()
      return
    }
    if (media.paused) {
      media.play().catch((error: unknown) => {
        if (!(error instanceof DOMException && error.name === 'AbortError')) this.pause()
      })
    }
    if (media.seeking) return
    const drift = media.currentTime - this.localTime(track)
    if (Math.abs(drift) > (this.rushing ? RUSH_JUMP_FROM_S : JUMP_FROM_S)) {
      media.currentTime = this.localTime(track)
      media.playbackRate = this.pace
    } else if (Math.abs(drift) > NUDGE_FROM_S) {
      media.playbackRate = this.pace * (drift > 0 ? 1 - NUDGE : 1 + NUDGE)
    } else {
      media.playbackRate = this.pace
    }
  }
}

function ready(media: MediaLike): boolean {
  return media.readyState >= ENOUGH_DATA && !media.seeking
}
