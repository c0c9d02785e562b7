import { onScopeDispose, watch, type Ref } from 'vue'
import { Ringtone } from '../lib/ringtone'

/** Sound, and a title that changes twice a second, while `ringing` holds a text. */
export function useRing(ringing: Ref<string | null>, tone: Pick<Ringtone, 'start' | 'stop' | 'close'> = new Ringtone()): void {
  let timer: ReturnType<typeof setInterval> | null = null
  let quietTitle = ''

  function stop(): void {
    tone.stop()
    if (timer === null) return
    clearInterval(timer)
    timer = null
    document.title = quietTitle
  }

  function start(text: string): void {
    stop()
    tone.start()
    quietTitle = document.title
    let lit = false
    const flash = (): void => {
      lit = !lit
      document.title = lit ? `● ${text}` : `○ ${text}`
    }
    flash()
    timer = setInterval(flash, 600)
  }

  watch(ringing, (text) => (text === null ? stop() : start(text)), { immediate: true })
  onScopeDispose(() => {
    stop()
    tone.close()
  })
}
