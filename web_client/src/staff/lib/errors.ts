import { ApiError } from '@shared/errors'

/** What a view shows for a failure: a key of the `error` texts and its values. */
export interface Failure {
  code: string
  fields: Record<string, unknown>
}

export function failureOf(error: unknown): Failure {
  if (error instanceof ApiError) return { code: error.code, fields: error.fields }
  return { code: 'internal', fields: {} }
}

interface Translator {
  t: (key: string, values?: Record<string, unknown>) => string
  te: (key: string) => boolean
}

/** The sentence for a failure in the page's language; codes nobody wrote a text for get the general one. */
export function failureText(failure: Failure, { t, te }: Translator, locale: string): string {
  const until = failure.fields.locked_until ?? failure.fields.until
  if (failure.code === 'auth.locked') {
    if (typeof until !== 'string') return t('error.auth.lockedPlain')
    const time = new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', hour12: false }).format(new Date(until))
    return t('error.auth.locked', { until: time })
  }
  const key = `error.${failure.code}`
  return te(key) ? t(key) : t('error.internal')
}
