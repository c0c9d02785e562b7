import { BarChart, LineChart, RadarChart } from 'echarts/charts'
import { GridComponent, LegendComponent, RadarComponent, TooltipComponent } from 'echarts/components'
import { init, use, type EChartsType } from 'echarts/core'
import { CanvasRenderer } from 'echarts/renderers'
import type { ReportView } from '../../gen/protocol'

use([BarChart, LineChart, RadarChart, GridComponent, LegendComponent, RadarComponent, TooltipComponent, CanvasRenderer])

export const openChart = (element: HTMLElement): EChartsType => init(element)

/** Colours of the design tokens: canvases cannot read CSS variables. */
const [ACCENT, BAD, SOFT, LINE] = ['#12606d', '#a8232a', '#4c5b67', '#d5dce2']
const AXIS = { axisLine: { lineStyle: { color: LINE } }, axisTick: { show: false }, axisLabel: { color: SOFT } }
const text = { textStyle: { fontFamily: 'system-ui, "Noto Sans CJK SC", sans-serif' }, animation: false, aria: { enabled: true } }

/** Inspected calls as bars, pass rate as a line over them. */
export function trendOption(report: ReportView, words: { inspected: string; pass: string; fatal: string }) {
  return {
    ...text,
    color: [LINE, ACCENT, BAD],
    tooltip: { trigger: 'axis' },
    legend: { top: 0, textStyle: { color: SOFT } },
    grid: { left: 40, right: 44, top: 36, bottom: 28 },
    xAxis: { type: 'category', data: report.trend.map((bucket) => bucket.first.slice(5)), ...AXIS },
    yAxis: [
      { type: 'value', minInterval: 1, splitLine: { lineStyle: { color: LINE } }, axisLabel: { color: SOFT } },
      { type: 'value', min: 0, max: 100, splitLine: { show: false }, axisLabel: { color: SOFT, formatter: '{value}%' } },
    ],
    series: [
      { name: words.inspected, type: 'bar', data: report.trend.map((bucket) => bucket.inspected), barMaxWidth: 28 },
      { name: words.pass, type: 'line', yAxisIndex: 1, connectNulls: true, data: report.trend.map((bucket) => bucket.pass_rate) },
      { name: words.fatal, type: 'line', yAxisIndex: 1, connectNulls: true, data: report.trend.map((bucket) => bucket.fatal_rate) },
    ],
  }
}

/** Kinds of defects as lying bars, with their numbers. */
export function defectOption(report: ReportView, name: (category: string) => string) {
  const shown = [...report.defects].reverse()
  return {
    ...text,
    color: [ACCENT],
    tooltip: {},
    grid: { left: 92, right: 48, top: 8, bottom: 8 },
    xAxis: { type: 'value', show: false },
    yAxis: { type: 'category', data: shown.map((defect) => name(defect.category)), ...AXIS, axisLine: { show: false } },
    series: [{ type: 'bar', data: shown.map((defect) => defect.count), barMaxWidth: 22, label: { show: true, position: 'right', color: SOFT } }],
  }
}
