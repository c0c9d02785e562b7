import { onScopeDispose, watch } from 'vue'
import { useServer } from '../lib/server'
import { useConsole } from '../stores/console'
import { useMedia } from '../stores/media'

/**
 * Media follows the call: connected while the teller waits for one, sent while it rings, at full rate, so that accepting
 * shows the picture at once (a lower frame rate would make the first frame wait); closed when it is over.
 */
export function useCallMedia(): void {
  const console_ = useConsole()
  const media = useMedia()
  watch(
    () => console_.mediaCallId,
    (call_id) => {
      if (call_id === null) media.leave()
      else void media.join(call_id)
    },
    { immediate: true },
  )
  watch(
    () => awaitsCall(console_) && media.usable,
    (waiting) => (waiting ? void media.warmUp() : media.coolDown()),
    { immediate: true },
  )
  watch(
    () => console_.seats.teller?.state,
    (state) => {
      if (state === 'lost') void media.distrust()
    },
  )
  const { socket } = useServer()
  /** The network that took the media away may have taken the socket with it. */
  const doubtSocket = (): void => void socket.probe('presence.get', {})
  watch(() => media.doubts, doubtSocket)
  window.addEventListener('online', doubtSocket)
  const off = socket.link.on('resumed', () => void media.ensure())
  const offProfile = useServer().socket.on('media.profile', ({ call_id, seat, profile }) => {
    if (call_id === console_.mediaCallId && seat === 'teller') media.setPicture(profile)
  })
  onScopeDispose(() => {
    window.removeEventListener('online', doubtSocket)
    offProfile()
    off()
    media.close()
  })
}

/** The next call may come any moment. */
function awaitsCall(console_: ReturnType<typeof useConsole>): boolean {
  const state = console_.presence?.state
  return console_.mediaCallId === null && (state === 'ready' || state === 'offered' || state === 'wrap_up')
}
