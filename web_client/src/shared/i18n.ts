import { createI18n } from 'vue-i18n'
import type { Language } from './protocol'

export const LANGUAGES: readonly Language[] = ['zh-CN', 'en']
const STORAGE_KEY = 'aircounter.language'

/** A tree of texts. */
export interface Messages {
  [key: string]: string | Messages
}

/** One area's texts, both languages side by side. */
export type AreaTexts = Record<Language, Messages>

/** The texts of a page and of its areas as one tree per language. A key that is there twice is a mistake. */
export function joinTexts(page: AreaTexts, areas: readonly AreaTexts[]): AreaTexts {
  const joined = (language: Language) => areas.reduce((all, area) => merge(all, area[language], ''), page[language])
  return { 'zh-CN': joined('zh-CN'), en: joined('en') }
}

function merge(one: Messages, other: Messages, path: string): Messages {
  const all = { ...one }
  for (const [key, text] of Object.entries(other)) {
    const there = all[key]
    if (there === undefined) all[key] = text
    else if (typeof there !== 'string' && typeof text !== 'string') all[key] = merge(there, text, `${path}${key}.`)
    else throw new Error(`the text ${path}${key} is there twice`)
  }
  return all
}

function isLanguage(value: unknown): value is Language {
  return LANGUAGES.includes(value as Language)
}

/** The language chosen before, or `?lang=` of the link, or Chinese. */
export function initialLanguage(): Language {
  const asked = new URLSearchParams(location.search).get('lang')
  if (isLanguage(asked)) return asked
  const kept = localStorage.getItem(STORAGE_KEY)
  return isLanguage(kept) ? kept : 'zh-CN'
}

/** Vue-i18n with both languages; each entry gives its own messages. */
export function createPageI18n(messages: AreaTexts) {
  const locale: string = initialLanguage()
  document.documentElement.lang = locale
  return createI18n<false>({ legacy: false, locale, fallbackLocale: 'zh-CN', messages })
}

export type PageI18n = ReturnType<typeof createPageI18n>

/** Switches the page's language and remembers it on this device. */
export function setLanguage(i18n: PageI18n, language: Language): void {
  i18n.global.locale.value = language
  document.documentElement.lang = language
  localStorage.setItem(STORAGE_KEY, language)
}
