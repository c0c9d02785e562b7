import { onMounted, onUnmounted } from 'vue'
import { useRoute } from 'vue-router'
import { useConsole } from '../stores/console'
import { useSession } from '../stores/session'

const LOOK_MS = 10_000
const TOUCHES = ['pointerdown', 'keydown', 'wheel', 'touchstart'] as const
/** When any tab of this browser was last touched (milliseconds). */
const TOUCHED = 'aircounter.staff.touched'
const ON_DUTY = ['ready', 'offered', 'in_call', 'wrap_up']

/**
 * Signs out when nobody has touched any tab for as long as the server allows. Pages that look by themselves would
 * otherwise keep the session. A teller on duty waits for calls without touching anything, and the wallboard hangs on a
 * wall: neither is idle.
 */
export function useIdle(): void {
  const session = useSession()
  const duty = useConsole()
  const route = useRoute()
  let timer = 0

  function touched(): void {
    localStorage.setItem(TOUCHED, String(Date.now()))
  }

  function look(): void {
    if (!session.staff || route.path.startsWith('/wallboard') || ON_DUTY.includes(duty.presence?.state ?? '')) return touched()
    if (Date.now() - Number(localStorage.getItem(TOUCHED) ?? 0) >= session.idle_s * 1000) void session.logout('idle')
  }

  onMounted(() => {
    touched()
    for (const name of TOUCHES) addEventListener(name, touched, { passive: true })
    timer = window.setInterval(look, LOOK_MS)
  })
  onUnmounted(() => {
    for (const name of TOUCHES) removeEventListener(name, touched)
    clearInterval(timer)
  })
}
