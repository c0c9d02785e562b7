/**
 * The server's clock as seen from this page. Ring and wrap-up deadlines are the server's; a counter's PC may be minutes off.
 * Facts that say "this happened just now" show the difference.
 */
export class ServerClock {
  private offsetMs = 0

  constructor(private readonly localNow: () => number = Date.now) {}

  /** Learn from a time stamp the server took a moment ago. Small differences are the network's and are ignored. */
  learn(justNow: string): void {
    const difference = Date.parse(justNow) - this.localNow()
    if (Number.isNaN(difference)) return
    this.offsetMs = Math.abs(difference) > 1500 ? difference : 0
  }

  /** Milliseconds since the epoch on the server's clock. */
  now(): number {
    return this.localNow() + this.offsetMs
  }

  /** Seconds from now until `deadline`, never below zero. */
  secondsUntil(deadline: string, localNow = this.localNow()): number {
    return Math.max(0, (Date.parse(deadline) - localNow - this.offsetMs) / 1000)
  }

  /** Seconds from `start` until now, never below zero. */
  secondsSince(start: string, localNow = this.localNow()): number {
    return Math.max(0, (localNow + this.offsetMs - Date.parse(start)) / 1000)
  }
}
