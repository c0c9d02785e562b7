import { describe, expect, it } from 'vitest'
import { MESSAGES } from '../locales'
import { failureText } from '../lib/errors'

interface Tree { [key: string]: string | Tree }

function flat(tree: Tree, prefix = ''): Map<string, string> {
  const all = new Map<string, string>()
  for (const [key, value] of Object.entries(tree)) {
    if (typeof value === 'string') all.set(prefix + key, value)
    else for (const [inner, text] of flat(value, `${prefix}${key}.`)) all.set(inner, text)
  }
  return all
}
const values = (text: string): string[] => [...text.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!).sort()

describe('texts', () => {
  const [zh, english] = [flat(MESSAGES['zh-CN'] as Tree), flat(MESSAGES.en as Tree)]

  it('exist in both languages', () => {
    expect([...english.keys()].sort()).toEqual([...zh.keys()].sort())
  })

  it('take the same values in both languages and are never empty', () => {
    for (const [key, text] of zh) {
      expect(values(english.get(key)!), key).toEqual(values(text))
      expect(text.trim() && english.get(key)!.trim(), key).not.toBe('')
    }
  })

  it('hold nothing vue-i18n would read as syntax', () => {
    for (const [key, text] of [...zh, ...english]) expect(/[@|]/.test(text), key).toBe(false)
  })
})

describe('failure texts', () => {
  const i18n = { t: (key: string, given?: Record<string, unknown>) => `${key}${JSON.stringify(given ?? {})}`, te: (key: string) => key === 'error.auth.failed' }

  it('use the code’s own text, else the general one', () => {
    expect(failureText({ code: 'auth.failed', fields: {} }, i18n, 'en')).toContain('error.auth.failed')
    expect(failureText({ code: 'never.heard', fields: {} }, i18n, 'en')).toContain('error.internal')
  })

  it('say until when an account is locked, if the server tells', () => {
    expect(failureText({ code: 'auth.locked', fields: { locked_until: '2026-01-01T10:00:00Z' } }, i18n, 'en')).toMatch(/"until":"\d\d:\d\d"/)
    expect(failureText({ code: 'auth.locked', fields: {} }, i18n, 'en')).toContain('lockedPlain')
  })
})
