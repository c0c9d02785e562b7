import { createI18n } from 'vue-i18n'
import type { Language } from './protocol'

export const LANGUAGES: readonly Language[] = ['zh-CN', 'en']
const STORAGE_KEY = 'aircounter.language'

/** A tree of texts. */
export interface Messages {
  [key: string]: string | Messages
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
export function createPageI18n(messages: Record<Language, Messages>) {
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
