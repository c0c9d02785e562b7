import { defineStore } from 'pinia'
import { computed, ref } from 'vue'
import type {
  CallRetention,
  LegalHoldList,
  LegalHoldRequest,
  PurgeDetail,
  PurgeList,
  RetentionTable,
  RetentionRuleChange,
  TombstoneList,
} from '../../gen/protocol'
import { useResource } from '../composables/useResource'
import { useServer } from '../lib/server'

const ROOT = '/api/retention'
const POLL_MS = 3000

/** How long what is kept, what must not be deleted, what may be, and what was. */
export const useRetention = defineStore('retention', () => {
  const number = ref('')
  const openId = ref('')
  const table = useResource<RetentionTable>(() => `${ROOT}/rules`)
  const call = useResource<CallRetention>(() => `${ROOT}/calls/${number.value}`)
  const holds = useResource<LegalHoldList>(() => `${ROOT}/holds`)
  const purges = useResource<PurgeList>(() => `${ROOT}/purges`)
  const list = useResource<PurgeDetail>(() => `${ROOT}/purges/${openId.value}`)
  const stones = useResource<TombstoneList>(() => `${ROOT}/tombstones`)
  const running = computed(() => purges.data.value?.items.some((each) => each.state === 'approved') ?? false)
  let timer = 0

  async function load(): Promise<void> {
    await Promise.all([table.load(), holds.load(), purges.load(), stones.load()])
  }

  async function refresh(): Promise<void> {
    await Promise.all([purges.load(), stones.load(), openId.value ? list.load() : undefined])
  }

  /** Look again while something is being deleted. */
  function watch(): void {
    stop()
    timer = window.setInterval(() => running.value && void refresh(), POLL_MS)
  }

  function stop(): void {
    window.clearInterval(timer)
  }

  const setRule = (change: RetentionRuleChange): Promise<boolean> => table.change('PUT', `${ROOT}/rules`, change)

  async function look(): Promise<void> {
    call.data.value = null
    call.refusal.value = null
    if (/^\d+$/.test(number.value)) await call.load()
  }

  const setProductEnd = (ends_on: string, note: string): Promise<boolean> =>
    call.change('PUT', `${ROOT}/product-ends`, { call_number: Number(number.value), ends_on, note })

  const setHold = (request: LegalHoldRequest): Promise<boolean> => holds.change('POST', `${ROOT}/holds`, request)
  const liftHold = (id: string, reason: string): Promise<boolean> => holds.change('POST', `${ROOT}/holds/${id}/lift`, { reason })
  const decideHold = (id: string, agree: boolean): Promise<boolean> => holds.change('POST', `${ROOT}/holds/${id}/decide`, { agree })

  async function open(id: string): Promise<void> {
    openId.value = id
    list.data.value = null
    list.refusal.value = null
    await list.load()
  }

  async function dryRun(note: string): Promise<boolean> {
    const made = await purges.send<PurgeDetail>('POST', `${ROOT}/purges`, { note })
    if (!made) return false
    openId.value = made.run.run_id
    list.data.value = made
    await purges.load()
    return true
  }

  /** The following lines of the open list. */
  async function more(): Promise<void> {
    const shown = list.data.value
    if (!shown?.next) return
    const added = await useServer().http.get<PurgeDetail>(`${ROOT}/purges/${openId.value}?first=${shown.next}`)
    list.data.value = { ...added, lines: [...shown.lines, ...added.lines] }
  }

  async function approve(): Promise<boolean> {
    const done = await list.send('POST', `${ROOT}/purges/${openId.value}/approve`, { list_sha256: list.data.value?.list_sha256 })
    await refresh()
    return done !== null
  }

  async function reject(reason: string): Promise<boolean> {
    const done = await list.send('POST', `${ROOT}/purges/${openId.value}/reject`, { reason })
    await refresh()
    return done !== null
  }

  return {
    number, openId, table, call, holds, purges, list, stones,
    load, watch, stop, setRule, look, setProductEnd, setHold, liftHold, decideHold, open, dryRun, more, approve, reject,
  }
})
