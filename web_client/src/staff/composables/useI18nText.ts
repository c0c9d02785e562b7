import { useI18n } from 'vue-i18n'
import { failureText, type Failure } from '../lib/errors'

/** Texts of data (`label_zh`, `label_en` …) and of failures in the page's language. */
export function useI18nText() {
  const { t, te, locale } = useI18n()

  /** `pick(node, 'label')` → `node.label_zh` or `node.label_en`. */
  function pick<N extends string>(data: Record<`${N}_zh` | `${N}_en`, string>, name: N): string {
    return locale.value === 'en' ? data[`${name}_en`] : data[`${name}_zh`]
  }

  function fail(failure: Failure): string {
    return failureText(failure, { t: (key, values) => t(key, values ?? {}), te }, locale.value)
  }

  /** A text if it exists, else the raw value: new codes of the server stay readable. */
  function known(key: string, raw: string, values: Record<string, string | number> = {}): string {
    return te(key) ? t(key, values) : raw
  }

  return { t, locale, pick, fail, known }
}
