/** Microphone gauge: from samples to a bar that moves the way people expect. */

/** Quieter is shown as nothing: a quiet room with an open microphone lies about here. */
const FLOOR_DBFS = -55
/** Loud talk close to the microphone. */
const CEILING_DBFS = -12
/** Share of the way the bar falls back per frame: up at once, down slowly. */
const FALL = 0.12
/** A level that only a voice (or a hand clap) reaches. */
export const HEARD_LEVEL = 0.3

/** Root mean square of samples in −1…1. */
export function rms(samples: Float32Array): number {
  if (samples.length === 0) return 0
  let sum = 0
  for (const sample of samples) sum += sample * sample
  return Math.sqrt(sum / samples.length)
}

/** 0…1 on a decibel scale. */
export function levelOf(amplitude: number): number {
  if (amplitude <= 0) return 0
  const dbfs = 20 * Math.log10(amplitude)
  return Math.min(1, Math.max(0, (dbfs - FLOOR_DBFS) / (CEILING_DBFS - FLOOR_DBFS)))
}

/** The next shown level: jumps up, sinks slowly. */
export function follow(shown: number, level: number): number {
  return level >= shown ? level : shown + (level - shown) * FALL
}

/** How many of `bars` are lit. */
export function litBars(level: number, bars: number): number {
  return Math.round(Math.min(1, Math.max(0, level)) * bars)
}
