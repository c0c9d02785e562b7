import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import { failureOf, type Failure } from '../lib/errors'
import { useServer } from '../lib/server'
import type { SignedIn, StaffProfile } from '../lib/wire'
import { AREAS } from '../pages/registry'

/** Who is signed in, and why nobody is. */
export const useSession = defineStore('session', () => {
  const staff = ref<StaffProfile | null>(null)
  const csrfToken = ref<string | null>(null)
  const restored = ref(false)
  const left = ref<'ended' | 'signedOut' | null>(null)
  const failure = ref<Failure | null>(null)
  const busy = ref(false)

  const pages = computed(() => AREAS.map((area) => area.page).filter(may))
  const home = computed(() => (pages.value[0] ? `/${pages.value[0]}` : '/home'))

  function may(page: string): boolean {
    const roles = AREAS.find((area) => area.page === page)?.roles
    return staff.value?.roles.some((role) => roles?.includes(role)) ?? false
  }

  function enter(answer: SignedIn): void {
    staff.value = answer.staff
    csrfToken.value = answer.csrf_token
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
      if (why.code !== 'auth.required') failure.value = why
    }
    restored.value = true
  }

  async function login(username: string, password: string): Promise<boolean> {
    busy.value = true
    failure.value = null
    left.value = null
    try {
      enter(await useServer().http.post<SignedIn>('/api/auth/login', { username, password }))
      return true
    } catch (error) {
      failure.value = failureOf(error)
      return false
    } finally {
      busy.value = false
    }
  }

  async function logout(): Promise<void> {
    await useServer()
      .http.post('/api/auth/logout')
      .catch(() => undefined)
    leave('signedOut')
  }

  /** The session is over: forget who it was. Safe to call when nobody is signed in. */
  function leave(why: 'ended' | 'signedOut'): void {
    if (!staff.value) return
    left.value = why
    staff.value = null
    csrfToken.value = null
    useServer().socket.close()
  }

  return { staff, csrfToken, restored, left, failure, busy, pages, home, may, restore, login, logout, leave }
})
