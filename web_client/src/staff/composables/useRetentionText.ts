import { useI18nText } from './useI18nText'

/** Words of retention: durations, rules, classes of data, reasons. */
export function useRetentionText() {
  const { t, known } = useI18nText()

  const duration = (amount: number | null, unit: string | null): string =>
    amount === null || unit === null ? '—' : amount === 0 ? t('retention.atOnce') : t(`retention.duration.${unit}`, { n: amount })

  /** `business_done+12 months` in words. */
  function rule(text: string): string {
    const [, event, amount, unit] = /^(\w+)\+(\d+) (days|months)$/.exec(text) ?? []
    return event && amount && unit ? `${t(`retention.event.${event}`)} + ${duration(Number(amount), unit)}` : text
  }

  const dataClass = (name: string): string => t(`retention.class.${name}`)
  const why = (code: string): string => known(`retention.why.${code}`, code)

  return { duration, rule, dataClass, why }
}
