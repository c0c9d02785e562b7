import { defineStore } from 'pinia'
import { ref, shallowRef } from 'vue'
import type { DutyAlert, LoadForecast, RadarRow, StatsCall, StatsReport } from '../../gen/protocol'
import { failureOf, type Failure } from '../lib/errors'
import { useServer } from '../lib/server'

export type By = StatsReport['by']
export type Tab = 'report' | 'radar' | 'forecast' | 'duty'

/** Reports and the lists behind their numbers, the monthly radar, the forecast, rotation and leave. */
export const useStatistics = defineStore('statistics', () => {
  const report = shallowRef<StatsReport | null>(null)
  const calls = shallowRef<StatsCall[] | null>(null)
  const radar = shallowRef<RadarRow[] | null>(null)
  const forecast = shallowRef<LoadForecast | null>(null)
  const duty = shallowRef<DutyAlert[] | null>(null)
  const failure = ref<Failure | null>(null)
  const busy = ref(false)

  async function attempt(action: () => Promise<void>): Promise<void> {
    busy.value = true
    try {
      await action()
      failure.value = null
    } catch (error) {
      failure.value = failureOf(error)
    } finally {
      busy.value = false
    }
  }

  const get = <T>(path: string, query: Record<string, string>): Promise<T> =>
    useServer().http.get<T>(`/api/statistics/${path}?${new URLSearchParams(query).toString()}`)

  const loadReport = (by: By, since: string, until: string) =>
    attempt(async () => {
      calls.value = null
      report.value = await get<StatsReport>('report', { by, since, until })
    })
  const loadCalls = (measure: string, key: string | null) =>
    attempt(async () => {
      const { by, since, until } = report.value!
      calls.value = await get<StatsCall[]>('calls', { measure, by, since, until, ...(key === null ? {} : { key }) })
    })
  const loadRadar = (month: string) =>
    attempt(async () => {
      radar.value = await get<RadarRow[]>('radar', { month })
    })
  const loadForecast = (day: string) =>
    attempt(async () => {
      forecast.value = await get<LoadForecast>('forecast', { day })
    })
  const loadDuty = () =>
    attempt(async () => {
      duty.value = await get<DutyAlert[]>('duty-alerts', {})
    })

  return { report, calls, radar, forecast, duty, failure, busy, loadReport, loadCalls, loadRadar, loadForecast, loadDuty }
})
