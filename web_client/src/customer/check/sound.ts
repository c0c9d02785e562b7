/** Sounds made on the spot: no file to load before the first one. */

let shared: AudioContext | null = null

export function audioContext(): AudioContext {
  shared ??= new AudioContext()
  // A context made before the first tap sleeps until it is asked.
  if (shared.state === 'suspended') void shared.resume().catch(() => undefined)
  return shared
}

/** Two soft notes, 0.7 s. Resolves when they have sounded. */
export function playChime(): Promise<void> {
  const context = audioContext()
  const start = context.currentTime + 0.02
  const notes = [523.25, 659.25] as const // C5, E5
  const length_s = 0.35
  notes.forEach((frequency, index) => {
    const at = start + index * length_s
    const tone = context.createOscillator()
    const volume = context.createGain()
    tone.frequency.value = frequency
    volume.gain.setValueAtTime(0, at)
    volume.gain.linearRampToValueAtTime(0.25, at + 0.03)
    volume.gain.exponentialRampToValueAtTime(0.001, at + length_s)
    tone.connect(volume).connect(context.destination)
    tone.start(at)
    tone.stop(at + length_s)
  })
  return new Promise((resolve) => setTimeout(resolve, notes.length * length_s * 1000))
}

/** Reads a microphone's amplitude at every animation frame until stopped. */
export function watchLevel(stream: MediaStream, onSamples: (samples: Float32Array) => void): () => void {
  const context = audioContext()
  const source = context.createMediaStreamSource(stream)
  const analyser = context.createAnalyser()
  analyser.fftSize = 1024
  source.connect(analyser)
  const samples = new Float32Array(analyser.fftSize)
  let frame = requestAnimationFrame(read)
  function read(): void {
    analyser.getFloatTimeDomainData(samples)
    onSamples(samples)
    frame = requestAnimationFrame(read)
  }
  return () => {
    cancelAnimationFrame(frame)
    source.disconnect()
  }
}
