import { ref, shallowRef } from 'vue'
import { failureOf, type Failure } from '../lib/errors'
import { useServer } from '../lib/server'

/** What one path of the server holds, and what was sent to change it. A failed change keeps what is shown. */
export function useResource<T>(path: () => string) {
  const data = shallowRef<T | null>(null)
  const loading = ref(false)
  const failure = ref<Failure | null>(null)
  const sending = ref(false)
  const refusal = ref<Failure | null>(null)
  let asked = 0

  async function load(): Promise<void> {
    const mine = ++asked
    loading.value = true
    failure.value = null
    try {
      const got = await useServer().http.get<T>(path())
      if (mine === asked) data.value = got
    } catch (error) {
      if (mine === asked) failure.value = failureOf(error)
    } finally {
      if (mine === asked) loading.value = false
    }
  }

  /** Send something; null when it was refused (then `refusal` says why). */
  async function send<R>(method: 'POST' | 'PUT', to: string, body: unknown = {}): Promise<R | null> {
    if (sending.value) return null
    sending.value = true
    refusal.value = null
    try {
      return await useServer().http.request<R>(method, to, body)
    } catch (error) {
      refusal.value = failureOf(error)
      return null
    } finally {
      sending.value = false
    }
  }

  /** Send something whose answer is the new state of this resource. */
  async function change(method: 'POST' | 'PUT', to: string, body: unknown = {}): Promise<boolean> {
    const got = await send<T>(method, to, body)
    if (got === null) return false
    asked += 1
    data.value = got
    return true
  }

  /** Files go one after the other; the answer of each is the new state of this resource. */
  let uploads: Promise<unknown> = Promise.resolve()
  function upload(to: string, file: Blob): Promise<boolean> {
    const turn = uploads.then(async () => {
      sending.value = true
      refusal.value = null
      try {
        const got = await useServer().http.upload<T>(to, file)
        asked += 1
        data.value = got
        return true
      } catch (error) {
        refusal.value = failureOf(error)
        return false
      } finally {
        sending.value = false
      }
    })
    uploads = turn
    return turn
  }

  return { data, loading, failure, sending, refusal, load, send, change, upload }
}
