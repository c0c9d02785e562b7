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
/** HTMLMediaElement.HAVE_FUTURE_DATA */
const ENOUGH_DATA = 3

export class SyncPlayer {
  state: PlayerState = 'paused'
  rate = 1
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
    const moved = this.state === 'playing' ? ((this.now() - this.anchorAt) / 1000) * this.rate : 0
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
    this.anchorPosition = this.position
    this.anchorAt = this.now()
    this.rate = rate
    for (const track of this.tracks) track.media.playbackRate = rate
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
    if (Math.abs(drift) > JUMP_FROM_S) {
      media.currentTime = this.localTime(track)
      media.playbackRate = this.rate
    } else if (Math.abs(drift) > NUDGE_FROM_S) {
      media.playbackRate = this.rate * (drift > 0 ? 1 - NUDGE : 1 + NUDGE)
    } else {
      media.playbackRate = this.rate
    }
  }
}

function ready(media: MediaLike): boolean {
  return media.readyState >= ENOUGH_DATA && !media.seeking
}
