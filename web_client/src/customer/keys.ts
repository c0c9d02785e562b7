import { inject, type InjectionKey } from 'vue'
import type { PageI18n } from '@shared/i18n'
import type { ServiceDesk } from './visit/desk'
import type { VisitFlow } from './visit/flow'

export const FLOW: InjectionKey<VisitFlow> = Symbol('flow')
export const DESK: InjectionKey<ServiceDesk> = Symbol('desk')
export const I18N: InjectionKey<PageI18n> = Symbol('i18n')

function need<T>(key: InjectionKey<T>): T {
  const value = inject(key)
  if (value === undefined) throw new Error('used outside the customer page')
  return value
}

export const useFlow = (): VisitFlow => need(FLOW)
export const useDesk = (): ServiceDesk => need(DESK)
export const usePageI18n = (): PageI18n => need(I18N)
