import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { failureOf, type Failure } from '../lib/errors'
import { useServer } from '../lib/server'
import type { Awaits, SignedIn, StaffProfile } from '../lib/wire'
import { AREAS } from '../pages/registry'

/** Why nobody is signed in any more; each has its sentence on the sign-in page. */
const LEFT = ['ended', 'signedOut', 'idle', 'too_long', 'replaced', 'everywhere', 'reset', 'switched_off', 'failed'] as const
export type Left = (typeof LEFT)[number]

/** The reason behind the code of a refusal. */
export function leftBy(code: string): Left {
  const reason = code.replace('auth.', '')
  return LEFT.find((each) => each === reason) ?? 'ended'
}

/** Who is signed in, and why nobody is. */
export const useSession = defineStore('session', () => {
  const staff = ref<StaffProfile | null>(null)
  const csrfToken = ref<string | null>(null)
  const restored = ref(false)
  const left = ref<Left | null>(null)
  const awaits = ref<Awaits | null>(null)
  const idle_s = ref(600)
  const failure = ref<Failure | null>(null)
  const busy = ref(false)
  let leaving: Left | null = null

  const pages = computed(() => (awaits.value ? [] : AREAS.map((area) => area.page).filter(may)))
  const home = computed(() => (pages.value[0] ? `/${pages.value[0]}` : '/home'))

  function may(page: string): boolean {
    const roles = AREAS.find((area) => area.page === page)?.roles
    return staff.value?.roles.some((role) => roles?.includes(role)) ?? false
  }

  function enter(answer: SignedIn): void {
    staff.value = answer.staff
    csrfToken.value = answer.csrf_token
    awaits.value = answer.awaits ?? null
    idle_s.value = answer.idle_s
    left.value = null
    failure.value = null
  }

  /** Ask once per page load whether the cookie still stands for a session. */
  async function restore(): Promise<void> {
    if (restored.value) return
    try {
      enter(await useServer().http.get<SignedIn>('/api/auth/me'))
    } catch (error) {
      const why = failureOf(error)
      if (!why.code.startsWith('auth.')) failure.value = why
      else if (why.code !== 'auth.required') left.value = leftBy(why.code)
    }
    restored.value = true
  }

  function login(username: string, password: string): Promise<boolean> {
    return step('/api/auth/login', { username, password })
  }

  /** The second step of signing in: a code of the authenticator app, or a recovery code. */
  function sendCode(code: string): Promise<boolean> {
    return step('/api/auth/second-step', { code })
  }

  async function step(path: string, body: unknown): Promise<boolean> {
    if (busy.value) return false
    busy.value = true
    failure.value = null
    left.value = null
    try {
      enter(await useServer().http.post<SignedIn>(path, body))
      return true
    } catch (error) {
      failure.value = failureOf(error)
      return false
    } finally {
      busy.value = false
    }
  }

  async function logout(why: Left = 'signedOut'): Promise<void> {
    await goodbye(why, () => useServer().http.post('/api/auth/logout').catch(() => undefined))
  }

  /** Ask for the end of the session, then leave. What other requests hear meanwhile ("nobody is signed in") is known. */
  async function goodbye(why: Left, ask: () => Promise<unknown>): Promise<void> {
    leaving = why
    try {
      await ask()
      leave(why)
    } finally {
      leaving = null
    }
  }

  /** The bank's own sign-in, where there is one: what stands on its button. */
  async function provider(): Promise<string | null> {
    return (await useServer().http.get<{ name: string | null }>('/api/auth/provider').catch(() => ({ name: null }))).name
  }

  /** Ask again who is signed in and what is still to be done. */
  async function refresh(): Promise<void> {
    enter(await useServer().http.get<SignedIn>('/api/auth/me'))
  }

  /** The session is over: forget who it was. Safe to call when nobody is signed in. */
  function leave(why: Left): void {
    if (!staff.value) return
    left.value = why === 'ended' && leaving ? leaving : why
    staff.value = null
    csrfToken.value = null
    awaits.value = null
    useServer().socket.close()
  }

  return { staff, csrfToken, restored, left, awaits, idle_s, failure, busy, pages, home, may, restore, login, sendCode, logout, goodbye, provider, refresh, leave }
})
