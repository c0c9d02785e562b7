import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import type { DutyAlert, LoadForecast, StatsCalls, StatsReport, TeamMonth } from '../../gen/protocol'
import { failureOf, type Failure } from '../lib/errors'
import { useServer } from '../lib/server'

export type By = StatsReport['by']
export type Tab = 'report' | 'radar' | 'forecast' | 'duty'

/** Whom or what a report is narrowed to. */
export interface Only {
  kind: 'business' | 'teller' | 'team'
  key: string
  label: string
}

/** Which calls a number stands for. */
export interface Behind {
  measure: string
  since: string
  until: string
  by?: By
  key?: string | null
  teller?: string
}

/** Reports and the lists behind their numbers, the monthly radar, the forecast, rotation and leave. */
export const useStatistics = defineStore('statistics', () => {
  const report = shallowRef<StatsReport | null>(null)
  const only = ref<Only | null>(null)
  const behind = shallowRef<Behind | null>(null)
  const calls = shallowRef<StatsCalls | null>(null)
  const month = shallowRef<TeamMonth | null>(null)
  const forecast = shallowRef<LoadForecast | null>(null)
  const duty = shallowRef<DutyAlert[] | null>(null)
  const failure = ref<Failure | null>(null)
  const busy = ref(false)
  let asked = 0

  /** The newest question counts: a slow answer to an older one must not come over it. */
  async function ask<T>(path: string, query: Record<string, string>, show: (answer: T) => void): Promise<void> {
    const mine = ++asked
    busy.value = true
    failure.value = null
    try {
      const answer = await useServer().http.get<T>(`/api/statistics/${path}?${new URLSearchParams(query).toString()}`)
      if (mine === asked) show(answer)
    } catch (error) {
      if (mine === asked) failure.value = failureOf(error)
    } finally {
      if (mine === asked) busy.value = false
    }
  }

  const narrowed = (): Record<string, string> => (only.value ? { [only.value.kind]: only.value.key } : {})

  const loadReport = (by: By, since: string, until: string) =>
    ask<StatsReport>('report', { by, since, until, ...narrowed() }, (answer) => (report.value = answer))

  /** Open the calls a number counts. A key of null: the calls without such a thing. */
  async function open(wanted: Behind): Promise<void> {
    const { measure, since, until, by, key, teller } = wanted
    behind.value = wanted
    calls.value = null
    const line = by ? { by, ...(key === null || key === undefined ? {} : { key }) } : {}
    const whom = teller ? { teller } : narrowed()
    await ask<StatsCalls>('calls', { measure, since, until, ...line, ...whom }, (answer) => (calls.value = answer))
  }
  function close(): void {
    behind.value = null
    calls.value = null
  }

  const loadMonth = (wanted: string) => ask<TeamMonth>('radar', { month: wanted }, (answer) => (month.value = answer))
  const loadForecast = (day: string, business: string) =>
    ask<LoadForecast>('forecast', { day, ...(business ? { business } : {}) }, (answer) => (forecast.value = answer))
  const loadDuty = () => ask<DutyAlert[]>('duty-alerts', {}, (answer) => (duty.value = answer))

  return { report, only, behind, calls, month, forecast, duty, failure, busy, loadReport, open, close, loadMonth, loadForecast, loadDuty }
})
