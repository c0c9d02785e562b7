import { watch } from 'vue'
import { useConsole } from '../stores/console'
import { useMedia } from '../stores/media'

/** Showing the customer a screen: what the browser shares and what the server tells the customer stay the same. */
export function useScreenShare(): { toggle: () => Promise<void> } {
  const console_ = useConsole()
  const media = useMedia()

  async function toggle(): Promise<void> {
    if (media.screen) return media.unshare()
    if (!(await media.share())) return
    const stream = media.screen as MediaStream | null
    // The browser's own bar ends it too.
    stream?.getVideoTracks()[0]?.addEventListener('ended', () => {
      if (media.screen === stream) void media.unshare()
    })
    if (!(await console_.setSharing(true))) await media.unshare()
  }

  // Nothing is shared any more (ended here, by the browser's bar, or by a reload): the server is told.
  watch(
    () => console_.call?.sharing === true && console_.screen === 'call' && media.screen === null,
    (stale) => {
      if (stale) void console_.setSharing(false)
    },
    { immediate: true },
  )
  return { toggle }
}
