import type { LoadForecast, RadarParts, StatsReport } from '../../gen/protocol'

/** Charts of the statistics. Colours of the design tokens: canvases cannot read CSS variables. Pure. */
const [ACCENT, WARN, SOFT, LINE] = ['#12606d', '#805000', '#4c5b67', '#d5dce2']
const AXIS = { axisLine: { lineStyle: { color: LINE } }, axisTick: { show: false }, axisLabel: { color: SOFT } }
const PLAIN = { textStyle: { fontFamily: 'system-ui, "Noto Sans CJK SC", sans-serif' }, animation: false, aria: { enabled: true } }
const whole = (share: number | null): number | null => (share === null ? null : Math.round(share * 100))

/** Calls as bars, service level as a line over them. */
export function reportOption(report: StatsReport, label: (row: StatsReport['rows'][number]) => string, words: { offered: string; level: string }) {
  return {
    ...PLAIN,
    color: [ACCENT, WARN],
    tooltip: { trigger: 'axis' },
    legend: { top: 0, textStyle: { color: SOFT } },
    grid: { left: 44, right: 44, top: 36, bottom: 28 },
    xAxis: { type: 'category', data: report.rows.map(label), ...AXIS },
    yAxis: [
      { type: 'value', minInterval: 1, splitLine: { lineStyle: { color: LINE } }, axisLabel: { color: SOFT } },
      { type: 'value', min: 0, max: 100, splitLine: { show: false }, axisLabel: { color: SOFT, formatter: '{value}%' } },
    ],
    series: [
      { name: words.offered, type: 'bar', data: report.rows.map((row) => row.figures.offered), barMaxWidth: 36 },
      { name: words.level, type: 'line', yAxisIndex: 1, connectNulls: true, data: report.rows.map((row) => whole(row.figures.service_level)) },
    ],
  }
}

/** Expected and real calls per half hour, and the tellers they need. */
export function forecastOption(forecast: LoadForecast, words: { expected: string; real: string; tellers: string }) {
  return {
    ...PLAIN,
    color: [LINE, ACCENT, WARN],
    tooltip: { trigger: 'axis' },
    legend: { top: 0, textStyle: { color: SOFT } },
    grid: { left: 40, right: 40, top: 36, bottom: 28 },
    xAxis: { type: 'category', data: forecast.slots.map((slot) => slot.at), ...AXIS },
    yAxis: { type: 'value', minInterval: 1, splitLine: { lineStyle: { color: LINE } }, axisLabel: { color: SOFT } },
    series: [
      { name: words.expected, type: 'bar', data: forecast.slots.map((slot) => slot.expected), barMaxWidth: 16 },
      { name: words.real, type: 'line', showSymbol: false, data: forecast.slots.map((slot) => slot.real) },
      { name: words.tellers, type: 'line', step: 'middle', showSymbol: false, data: forecast.slots.map((slot) => slot.tellers) },
    ],
  }
}

const PARTS = ['satisfaction', 'volume', 'errors', 'peers'] as const

/** A teller's month over the middle of all tellers. A part nobody can judge is drawn at the centre and named a dash. */
export function radarOption(own: RadarParts, usual: RadarParts, words: { name: string; usual: string; parts: Record<(typeof PARTS)[number], string> }) {
  const values = (parts: RadarParts): number[] => PARTS.map((part) => Number(parts[part] ?? 0))
  return {
    ...PLAIN,
    color: [SOFT, ACCENT],
    tooltip: {},
    legend: { bottom: 0, textStyle: { color: SOFT } },
    radar: {
      center: ['50%', '48%'],
      radius: '54%',
      indicator: PARTS.map((part) => ({ name: `${words.parts[part]}\n${own[part] ?? '—'}`, max: 100 })),
      axisName: { color: SOFT },
      splitArea: { show: false },
      splitLine: { lineStyle: { color: LINE } },
      axisLine: { lineStyle: { color: LINE } },
    },
    series: [
      {
        type: 'radar',
        data: [
          { name: words.usual, value: values(usual), lineStyle: { type: 'dashed' }, symbolSize: 4 },
          { name: words.name, value: values(own), areaStyle: { opacity: 0.15 }, symbolSize: 6 },
        ],
      },
    ],
  }
}
