import { useLocalStorage, useRafFn } from '@vueuse/core'
import { onScopeDispose, ref, shallowRef } from 'vue'
import { SyncPlayer, type PlayerState, type Track } from '../lib/syncPlayer'

export const RATES = [0.5, 0.75, 1, 1.25, 1.5, 2, 3] as const

/** The shared clock as reactive values, ticking with the screen. */
export function useSyncPlayer() {
  const player = shallowRef<SyncPlayer | null>(null)
  const position = ref(0)
  const state = ref<PlayerState>('paused')
  /** Everybody has a pace: it stays from call to call. */
  const rate = useLocalStorage<number>('aircounter.qa.rate', 1)
  if (!RATES.some((each) => each === rate.value)) rate.value = 1

  function refresh(): void {
    if (!player.value) return
    position.value = player.value.tick()
    state.value = player.value.state
  }

  useRafFn(refresh)

  function attach(tracks: Track[], total_s: number): void {
    player.value?.pause()
    const next = new SyncPlayer(tracks, total_s)
    next.setRate(rate.value)
    next.seek(position.value)
    player.value = next
  }

  function seek(seconds: number): void {
    player.value?.seek(seconds)
    position.value = player.value?.position ?? Math.max(0, seconds) // before the files are there: begin there
  }

  function setRate(value: number): void {
    rate.value = value
    player.value?.setRate(value)
  }

  /** Through a pause, as fast as pictures can follow. */
  function rush(on: boolean): void {
    player.value?.setRushing(on)
  }

  /** One step faster (+1) or slower (−1). */
  function stepRate(step: 1 | -1): void {
    const at = RATES.indexOf(rate.value as (typeof RATES)[number])
    setRate(RATES[Math.min(RATES.length - 1, Math.max(0, at + step))]!)
  }

  onScopeDispose(() => player.value?.pause())

  return {
    position,
    state,
    rate,
    attach,
    seek,
    setRate,
    rush,
    stepRate,
    toggle: () => player.value?.toggle(),
    skip: (seconds: number) => seek(position.value + seconds),
  }
}
