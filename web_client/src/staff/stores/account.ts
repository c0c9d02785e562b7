import { defineStore } from 'pinia'
import { ref } from 'vue'
import { failureOf, type Failure } from '../lib/errors'
import { useServer } from '../lib/server'
import type { Enrolment, OwnAccount } from '../lib/wire'
import { useSession } from './session'

/** The own account: password, authenticator app, signing out everywhere. */
export const useAccount = defineStore('account', () => {
  const own = ref<OwnAccount | null>(null)
  const enrolment = ref<Enrolment | null>(null)
  /** Recovery codes just made; shown until they are kept. */
  const codes = ref<string[] | null>(null)
  const failure = ref<Failure | null>(null)
  const busy = ref(false)

  async function act(what: () => Promise<void>): Promise<boolean> {
    busy.value = true
    failure.value = null
    try {
      await what()
      return true
    } catch (error) {
      failure.value = failureOf(error)
      return false
    } finally {
      busy.value = false
    }
  }

  async function reload(): Promise<void> {
    own.value = await useServer().http.get<OwnAccount>('/api/account')
  }

  function load(): Promise<boolean> {
    own.value = enrolment.value = codes.value = null
    return act(reload)
  }

  function changePassword(current: string, next: string): Promise<boolean> {
    return act(async () => {
      await useServer().http.post('/api/account/password', { current, new: next })
      await reload()
    })
  }

  /** What needs the password (and, once there is an app, a code). */
  function prove(what: 'begin' | 'renew' | 'remove', password: string, code: string): Promise<boolean> {
    return act(async () => {
      const { http } = useServer()
      if (what === 'begin') enrolment.value = await http.post<Enrolment>('/api/account/totp', { password })
      else if (what === 'renew') codes.value = (await http.post<{ codes: string[] }>('/api/account/recovery-codes', { password, code })).codes
      else await http.post('/api/account/totp/remove', { password, code })
      await reload()
      if (what === 'remove') await useSession().refresh()
    })
  }

  function confirm(code: string): Promise<boolean> {
    return act(async () => {
      codes.value = (await useServer().http.post<{ codes: string[] }>('/api/account/totp/confirm', { code })).codes
      enrolment.value = null
      await reload()
    })
  }

  function signOutEverywhere(): Promise<boolean> {
    return act(() => useSession().goodbye('everywhere', () => useServer().http.post('/api/account/sign-out-everywhere')))
  }

  return { own, enrolment, codes, failure, busy, load, changePassword, prove, confirm, signOutEverywhere }
})
