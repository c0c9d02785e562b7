import { clock, secondsSince } from '@shared/time'
import type { QueueRow, TellerRow, WallboardView } from '../../gen/protocol'

/** How figures of the wallboard are read. Pure. */

/** A share as whole percent; a dash where there is nothing yet. */
export function percent(share: number | null | undefined): string {
  return share === null || share === undefined ? '—' : `${Math.round(share * 100)}%`
}

/** A share beside its aim: one that misses it by less than half a percent must not look as if it reached it. */
export function percentOf(share: number | null | undefined, aim: number): string {
  const shown = percent(share)
  return share !== null && share !== undefined && share < aim && Math.round(share * 100) >= aim * 100 ? `${(Math.floor(share * 1000) / 10).toFixed(1)}%` : shown
}

/** Seconds as people say them: `4:05`; a dash where there is nothing yet. */
export function span(seconds: number | null | undefined): string {
  return seconds === null || seconds === undefined ? '—' : clock(seconds)
}

/** How long ago, running. */
export function ago(iso: string | null | undefined, now_ms: number): string {
  return iso ? clock(secondsSince(iso, now_ms)) : '—'
}

export type Tone = 'ok' | 'warn' | 'bad' | 'plain'

export interface BigNumber {
  key: 'waiting' | 'longest' | 'level' | 'answers' | 'abandons' | 'asa' | 'aht' | 'ready'
  value: string
  tone: Tone
  /** Bad since then. */
  since: string | null
}

/** The figures of the top row, in the order they are looked at. */
export function bigNumbers(view: WallboardView, now_ms: number): BigNumber[] {
  const { total, aims, tellers } = view
  const waited_s = total.longest_since ? secondsSince(total.longest_since, now_ms) : 0
  const late = waited_s > aims.longest_wait_s
  const lateSince = late ? new Date(Date.parse(total.longest_since!) + aims.longest_wait_s * 1000).toISOString() : null
  const free = tellers.filter((teller) => teller.state === 'ready').length
  const onDuty = tellers.filter((teller) => ON_DUTY.includes(teller.state)).length
  const { figures } = total
  return [
    { key: 'waiting', value: String(total.waiting), tone: total.waiting > 0 && free === 0 ? 'warn' : 'plain', since: null },
    { key: 'longest', value: total.longest_since ? clock(waited_s) : '0:00', tone: late ? 'bad' : 'plain', since: lateSince },
    {
      key: 'level',
      value: percentOf(figures.service_level, aims.service_level),
      tone: judged(figures.service_level, aims.service_level, total.service_level_bad_since),
      since: total.service_level_bad_since,
    },
    {
      key: 'answers',
      value: percentOf(figures.answer_rate, aims.answer_rate),
      tone: judged(figures.answer_rate, aims.answer_rate, total.answer_rate_bad_since),
      since: total.answer_rate_bad_since,
    },
    { key: 'abandons', value: percent(figures.abandon_rate), tone: 'plain', since: null },
    { key: 'asa', value: span(figures.asa_s), tone: 'plain', since: null },
    { key: 'aht', value: span(figures.aht_s), tone: 'plain', since: null },
    { key: 'ready', value: `${free}/${onDuty}`, tone: onDuty > 0 && free === 0 && total.waiting > 0 ? 'bad' : 'plain', since: null },
  ]
}

export const ON_DUTY: readonly string[] = ['ready', 'offered', 'in_call', 'wrap_up', 'break']

function judged(share: number | null, aim: number, badSince: string | null): Tone {
  if (share === null) return 'plain'
  if (badSince) return 'bad'
  return share < aim ? 'warn' : 'ok'
}

/** Queues worth a look first: those with waiting customers, the longest wait at the top; the order is stable otherwise. */
export function byNeed(queues: readonly QueueRow[]): QueueRow[] {
  const since = (queue: QueueRow): number => (queue.longest_since ? Date.parse(queue.longest_since) : Number.MAX_SAFE_INTEGER)
  return [...queues].sort((one, other) => since(one) - since(other))
}

const STATE_ORDER: readonly string[] = ['in_call', 'wrap_up', 'offered', 'ready', 'break', 'offline']

/** Tellers by what they do, those who are off duty last. */
export function byState(tellers: readonly TellerRow[]): TellerRow[] {
  return [...tellers].sort((one, other) => STATE_ORDER.indexOf(one.state) - STATE_ORDER.indexOf(other.state))
}
