import { useIntervalFn } from '@vueuse/core'
import { onScopeDispose, ref, watch, type Ref } from 'vue'

/** Loudness 0–1 from samples, on a scale on which quiet speech is already visible. */
export function levelOf(samples: Float32Array): number {
  let sum = 0
  for (const sample of samples) sum += sample * sample
  const rms = Math.sqrt(sum / Math.max(1, samples.length))
  // −60 dB … −10 dB
  return rms === 0 ? 0 : Math.min(1, Math.max(0, (20 * Math.log10(rms) + 60) / 50))
}

/** The microphone's level, ten times a second, and whether anything was heard at all. */
export function useMicLevel(stream: Ref<MediaStream | null>) {
  const level = ref(0)
  const heard = ref(false)
  let context: AudioContext | null = null
  let analyser: AnalyserNode | null = null
  let samples = new Float32Array(0)

  function release(): void {
    void context?.close()
    context = null
    analyser = null
    level.value = 0
  }

  watch(
    stream,
    (next) => {
      release()
      heard.value = false
      if (!next || next.getAudioTracks().length === 0) return
      context = new AudioContext()
      analyser = context.createAnalyser()
      analyser.fftSize = 1024
      samples = new Float32Array(analyser.fftSize)
      context.createMediaStreamSource(next).connect(analyser)
    },
    { immediate: true },
  )

  useIntervalFn(() => {
    if (!analyser) return
    if (context?.state === 'suspended') void context.resume()
    analyser.getFloatTimeDomainData(samples)
    level.value = levelOf(samples)
    if (level.value > 0.35) heard.value = true
  }, 100)
  onScopeDispose(release)
  return { level, heard }
}
