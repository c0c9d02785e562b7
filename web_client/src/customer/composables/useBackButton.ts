import { useEventListener } from '@vueuse/core'
import { watch } from 'vue'
import type { VisitFlow } from '../visit/flow'
import type { Step } from '../visit/steps'

/** Steps in which "back" means the step before; elsewhere it must not drop a place or a call. */
const LEADS_BACK: readonly Step[] = ['check', 'consent', 'refused', 'closed', 'booking']

/**
 * Makes the phone's back gesture go one step back instead of leaving the page. One extra history
 * entry stands for "not at the first step".
 */
export function useBackButton(flow: VisitFlow): void {
  watch(
    () => flow.state.step,
    (step) => {
      const inside = history.state?.inside === true
      if (step !== 'choose' && !inside) history.pushState({ inside: true }, '')
    },
    { immediate: true },
  )
  useEventListener(window, 'popstate', () => {
    if (LEADS_BACK.includes(flow.state.step)) flow.back()
    if (flow.state.step !== 'choose') history.pushState({ inside: true }, '')
  })
}
