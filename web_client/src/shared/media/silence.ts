/** How often to look. */
const LOOK_MS = 500
/** RTCP alone comes every second. */
const SILENT_MS = 2000

/**
 * Notices that nothing at all comes through a connection any more, seconds before the browser calls it disconnected.
 * Where the browser does not count what comes (`transport` in its statistics), it notices nothing.
 */
export class SilenceWatch {
  /** Whether nothing has come for a while although it did before. */
  silent = false
  private readonly peer: RTCPeerConnection
  private readonly tell: () => void
  private received: number | undefined
  private heard_ms: number | undefined
  private readonly timer: ReturnType<typeof setInterval>

  constructor(peer: RTCPeerConnection, tell: () => void) {
    this.peer = peer
    this.tell = tell
    this.timer = setInterval(() => void this.look(), LOOK_MS)
  }

  stop(): void {
    clearInterval(this.timer)
  }

  /** Brings `silent` up to date. */
  async look(): Promise<void> {
    const received = await packetsReceived(this.peer)
    if (received === undefined) return
    const now_ms = performance.now()
    if (this.received !== undefined && received > this.received) {
      this.heard_ms = now_ms
      this.silent = false
    } else if (this.heard_ms !== undefined && !this.silent && now_ms - this.heard_ms >= SILENT_MS) {
      this.silent = true
      this.tell()
    }
    this.received = received
  }
}

async function packetsReceived(peer: RTCPeerConnection): Promise<number | undefined> {
  let stats: RTCStatsReport
  try {
    stats = await peer.getStats()
  } catch {
    return undefined // it is being closed
  }
  for (const facts of stats.values()) if (facts.type === 'transport') return facts.packetsReceived as number | undefined
  return undefined
}
