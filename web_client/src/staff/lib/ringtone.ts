/**
 * The sound of an offered call, made by the browser itself: two soft tones, twice, then a pause. No file to load.
 */
export class Ringtone {
  private context: AudioContext | null = null
  private timer: ReturnType<typeof setInterval> | null = null

  /** Browsers let a page sound only after the user touched it: call this from a click (going ready). */
  unlock(): void {
    this.context ??= new AudioContext()
    if (this.context.state === 'suspended') void this.context.resume()
  }

  /** Ring until `stop`. Starting twice is the same as once. */
  start(): void {
    if (this.timer !== null) return
    this.unlock()
    this.burst()
    this.timer = setInterval(() => this.burst(), 2400)
  }

  stop(): void {
    if (this.timer === null) return
    clearInterval(this.timer)
    this.timer = null
  }

  close(): void {
    this.stop()
    void this.context?.close()
    this.context = null
  }

  private burst(): void {
    for (const [delay, pitch_hz] of [
      [0, 784],
      [0.22, 988],
      [0.7, 784],
      [0.92, 988],
    ] as const) {
      this.tone(delay, pitch_hz)
    }
  }

  private tone(delay: number, pitch_hz: number): void {
    const context = this.context
    if (!context) return
    const start = context.currentTime + delay
    const oscillator = context.createOscillator()
    const gain = context.createGain()
    oscillator.type = 'sine'
    oscillator.frequency.value = pitch_hz
    gain.gain.setValueAtTime(0, start)
    gain.gain.linearRampToValueAtTime(0.25, start + 0.02)
    gain.gain.exponentialRampToValueAtTime(0.001, start + 0.4)
    oscillator.connect(gain).connect(context.destination)
    oscillator.start(start)
    oscillator.stop(start + 0.45)
  }
}
