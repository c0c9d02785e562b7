import { inject, type InjectionKey } from 'vue'
import type { CounterDesk } from './desk'

export const DESK: InjectionKey<CounterDesk> = Symbol('desk')

export function useDesk(): CounterDesk {
  const desk = inject(DESK)
  if (!desk) throw new Error('used outside the customer page')
  return desk
}
