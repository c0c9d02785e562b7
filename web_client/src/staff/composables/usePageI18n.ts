import type { PageI18n } from '@shared/i18n'
import { inject, type InjectionKey } from 'vue'

export const PAGE_I18N: InjectionKey<PageI18n> = Symbol('page i18n')

/** The page's vue-i18n instance, to switch its language. */
export function usePageI18n(): PageI18n {
  const i18n = inject(PAGE_I18N)
  if (!i18n) throw new Error('no i18n provided')
  return i18n
}
