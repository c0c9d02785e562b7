import { beforeEach, describe, expect, it } from 'vitest'
import { SyncPlayer, type MediaLike, type Track } from '../lib/syncPlayer'

let now_ms = 0

/** Plays with its own speed error, like a real decoder. */
class FakeMedia implements MediaLike {
  playbackRate = 1
  paused = true
  readyState = 4
  seeking = false
  jumps = 0
  private at = 0

  constructor(
    readonly duration_s: number,
    private readonly speed = 1,
  ) {}

  get currentTime(): number {
    return this.at
  }
  set currentTime(seconds: number) {
    this.jumps += 1
    this.at = seconds
  }
  get ended(): boolean {
    return this.at >= this.duration_s
  }
  play(): Promise<void> {
    this.paused = false
    return Promise.resolve()
  }
  pause(): void {
    this.paused = true
  }
  advance(seconds: number): void {
    if (!this.paused && this.readyState >= 3) this.at = Math.min(this.duration_s, this.at + seconds * this.playbackRate * this.speed)
  }
}

function world(...media: [FakeMedia, number][]): { player: SyncPlayer; run: (seconds: number) => void } {
  const tracks: Track[] = media.map(([each, offset_s]) => ({ media: each, offset_s, duration_s: each.duration_s }))
  const total = Math.max(...tracks.map((track) => track.offset_s + track.duration_s))
  const player = new SyncPlayer(tracks, total, () => now_ms)
  const run = (seconds: number): void => {
    for (let i = 0; i < Math.round(seconds * 50); i += 1) {
      now_ms += 20
      for (const [each] of media) each.advance(0.02)
      player.tick()
    }
  }
  return { player, run }
}

beforeEach(() => {
  now_ms = 0
})

describe('two videos, one clock', () => {
  it('rushes through pauses and goes on at the chosen pace', () => {
    const media = new FakeMedia(100)
    const { player, run } = world([media, 0])
    player.setRate(2)
    player.play()
    run(1)
    player.setRushing(true)
    run(1)
    expect(player.position).toBeCloseTo(10, 0)
    player.setRushing(false)
    run(1)
    expect(player.position).toBeCloseTo(12, 0)
    expect(player.rate).toBe(2)
    expect(Math.abs(media.currentTime - player.position)).toBeLessThan(0.3)
  })

  it('plays each at its own place on the time line', () => {
    const [customer, teller] = [new FakeMedia(60), new FakeMedia(62)]
    const { player, run } = world([customer, 1.5], [teller, 0])
    player.play()
    run(1)
    expect([customer.paused, teller.paused]).toEqual([true, false])
    run(9)
    expect(player.position).toBeCloseTo(10, 1)
    expect(customer.currentTime).toBeCloseTo(8.5, 1)
    expect(teller.currentTime).toBeCloseTo(10, 1)
  })

  it('nudges a drifting one back without jumping', () => {
    const [customer, teller] = [new FakeMedia(60, 0.98), new FakeMedia(60, 1.01)]
    const { player, run } = world([customer, 0], [teller, 0])
    player.play()
    run(30)
    expect(Math.abs(customer.currentTime - teller.currentTime)).toBeLessThan(0.1)
    expect(Math.abs(customer.currentTime - player.position)).toBeLessThan(0.08)
    expect([customer.jumps, teller.jumps]).toEqual([0, 0])
  })

  it('sets one anew that is far off', () => {
    const [customer, teller] = [new FakeMedia(60), new FakeMedia(60)]
    const { player, run } = world([customer, 0], [teller, 0])
    player.play()
    run(2)
    customer.currentTime = 9
    run(0.1)
    expect(customer.currentTime).toBeCloseTo(player.position, 1)
  })

  it('waits for the slower one and goes on together', () => {
    const [customer, teller] = [new FakeMedia(60), new FakeMedia(60)]
    const { player, run } = world([customer, 0], [teller, 0])
    player.play()
    run(2)
    customer.readyState = 1
    run(3)
    expect([player.state, teller.paused]).toEqual(['waiting', true])
    expect(player.position).toBeCloseTo(2, 1)
    // Asked to play on, so that the browser fetches.
    expect(customer.paused).toBe(false)
    customer.readyState = 4
    run(1)
    expect(player.state).toBe('playing')
    expect(player.position).toBeCloseTo(3, 1)
  })

  it('seeks both, keeps pause, and stays inside the call', () => {
    const [customer, teller] = [new FakeMedia(60), new FakeMedia(62)]
    const { player } = world([customer, 1.5], [teller, 0])
    player.seek(20)
    expect([customer.currentTime, teller.currentTime, player.state]).toEqual([18.5, 20, 'paused'])
    player.seek(-5)
    expect([customer.currentTime, player.position]).toEqual([0, 0])
    player.seek(999)
    expect(player.position).toBe(62)
  })

  it('changes speed for both without losing its place', () => {
    const [customer, teller] = [new FakeMedia(60), new FakeMedia(60)]
    const { player, run } = world([customer, 0], [teller, 0])
    player.play()
    run(4)
    player.setRate(2)
    run(3)
    expect(player.position).toBeCloseTo(10, 0)
    expect(Math.abs(customer.currentTime - player.position)).toBeLessThan(0.08)
  })

  it('plays to the end although a file is shorter than its books say, then starts over', () => {
    const [customer, teller] = [new FakeMedia(5), new FakeMedia(10)]
    const tracks = [
      { media: customer, offset_s: 0, duration_s: 5.4 },
      { media: teller, offset_s: 0, duration_s: 10 },
    ]
    const player = new SyncPlayer(tracks, 10, () => now_ms)
    player.play()
    for (let i = 0; i < 600; i += 1) {
      now_ms += 20
      for (const each of [customer, teller]) each.advance(0.02)
      if (customer.ended) customer.readyState = 2
      player.tick()
    }
    expect([player.state, player.position, teller.paused]).toEqual(['paused', 10, true])
    customer.readyState = 4
    player.play()
    expect(player.position).toBe(0)
  })

  it('stops when the browser does not let it play', async () => {
    const media = new FakeMedia(60)
    media.play = () => Promise.reject(new DOMException('no', 'NotAllowedError'))
    const { player } = world([media, 0])
    player.play()
    await new Promise((done) => setTimeout(done, 0))
    expect(player.state).toBe('paused')
  })
})
