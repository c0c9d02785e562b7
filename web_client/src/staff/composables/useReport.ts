import { computed, reactive, ref, watch } from 'vue'
import { bankDay } from '@shared/time'
import type { ReportRows, ReportView, TrendView } from '../../gen/protocol'
import { useResource } from './useResource'

export type MetricName = ReportRows['metric']
export type TrendBy = TrendView['by']

const DAY_MS = 86_400_000

/** Which list is open: what a number counts, and of whom. */
export interface Behind {
  metric: MetricName
  value?: string
  teller?: string
  team?: string
  business?: string
  inspector?: string
  first?: string
  last?: string
}

/** The report of a period, and the list behind whichever number was asked about. */
export function useReport() {
  const now = new Date()
  const asked = reactive({ first: bankDay(new Date(now.getTime() - 29 * DAY_MS)), last: bankDay(now), business: '', team: '', teller: '' })
  const by = ref<TrendBy>('quality')
  const behind = ref<Behind | null>(null)
  const query = (more: object): string =>
    new URLSearchParams(Object.entries({ ...asked, ...more }).filter(([, value]) => value) as [string, string][]).toString()
  const report = useResource<ReportView>(() => `/api/qa/reports?${query({})}`)
  const rows = useResource<ReportRows>(() => `/api/qa/reports/rows?${query(behind.value ?? {})}`)
  const trends = useResource<TrendView>(() => `/api/qa/reports/trends?${query({ by: by.value })}`)
  const csv = computed(() => (behind.value ? `/api/qa/reports/rows.csv?${query(behind.value)}` : ''))
  const workbook = computed(() => `/api/qa/reports/workbook.xlsx?${query({})}`)
  const pdf = computed(() => `/api/qa/reports/months/${asked.last.slice(0, 7)}.pdf`)

  async function show(what: Behind): Promise<void> {
    behind.value = what
    rows.data.value = null
    await rows.load()
  }

  async function load(): Promise<void> {
    await Promise.all([report.load(), trends.load()])
  }

  watch(asked, () => {
    behind.value = null
    if (asked.first && asked.last) void load()
  })
  watch(by, () => void trends.load())

  return { by, trends, load, asked, behind, report, rows, csv, workbook, pdf, show }
}
