import { defineStore } from 'pinia'
import { ref } from 'vue'
import type { DeliveryList, KeyRequest, KeyView, NewKey, NewWebhook, WebhookRequest, WebhookView } from '../../gen/protocol'
import { polled, useAttempt } from '../lib/polled'
import { useServer } from '../lib/server'

type DeliveryState = 'failed' | 'waiting' | 'sent' | 'all'

/** What is shown once and kept nowhere. */
interface Secret {
  kind: 'key' | 'webhook'
  name: string
  text: string
}

/** Other systems of the bank: their keys, webhooks and the messages to them. */
export const useInterface = defineStore('interface', () => {
  const state = ref<DeliveryState>('failed')
  const keys = polled(() => useServer().http.get<KeyView[]>('/api/admin/keys'), 15_000)
  const webhooks = polled(() => useServer().http.get<WebhookView[]>('/api/admin/webhooks'), 5000)
  const deliveries = polled(() => useServer().http.get<DeliveryList>(`/api/admin/deliveries?state=${state.value}`), 5000)
  const secret = ref<Secret | null>(null)
  const { busy, failure, attempt } = useAttempt()
  const all = [keys, webhooks, deliveries]

  function start(): void {
    for (const each of all) each.start()
  }
  function stop(): void {
    for (const each of all) each.stop()
    secret.value = null
  }
  async function load(): Promise<void> {
    await Promise.all(all.map((each) => each.load()))
  }
  function show(next: DeliveryState): void {
    state.value = next
    deliveries.data.value = null
    void deliveries.load()
  }

  const act = (name: string, path: string, body?: object): Promise<boolean> =>
    attempt(name, async () => {
      await useServer().http.post(path, body)
      await load()
    })

  const makeKey = (request: KeyRequest): Promise<boolean> =>
    attempt('key', async () => {
      const made = await useServer().http.post<NewKey>('/api/admin/keys', request)
      secret.value = { kind: 'key', name: made.key.name, text: made.token }
      await keys.load()
    })

  const makeWebhook = (request: WebhookRequest): Promise<boolean> =>
    attempt('webhook', async () => {
      const made = await useServer().http.post<NewWebhook>('/api/admin/webhooks', request)
      secret.value = { kind: 'webhook', name: made.webhook.url, text: made.secret }
      await webhooks.load()
    })

  const revoke = (id: string): Promise<boolean> => act(id, `/api/admin/keys/${encodeURIComponent(id)}/revoke`)
  const turn = (id: string, enabled: boolean): Promise<boolean> => act(id, `/api/admin/webhooks/${encodeURIComponent(id)}/switch`, { enabled })
  const replay = (id: string): Promise<boolean> => act(id, `/api/admin/deliveries/${encodeURIComponent(id)}/replay`)

  return {
    keys: keys.data, webhooks: webhooks.data, deliveries: deliveries.data, loadFailure: keys.failure,
    state, show, start, stop, load, secret, busy, failure, makeKey, makeWebhook, revoke, turn, replay,
  }
})
