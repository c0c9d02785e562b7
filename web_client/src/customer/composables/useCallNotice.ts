import { computed, type ComputedRef } from 'vue'
import type { VisitFlow } from '../visit/flow'

export interface CallNotice {
  tone: 'info' | 'warn' | 'bad'
  title?: string
  text: string
  /** Trying again needs the customer's tap. */
  retry?: boolean
}

/** The one sentence that matters most during a call, as text keys; null when all is well. */
export function useCallNotice(flow: VisitFlow): ComputedRef<CallNotice | null> {
  return computed(() => {
    const { call, media, teller } = flow.room.state
    if (!call) return null
    if (!call.recording_ok) {
      return { tone: 'bad', title: 'call.recordingFailedTitle', text: 'call.recordingFailedBody' }
    }
    if (flow.devices.state.problem) return { tone: 'bad', title: 'call.devicesLostTitle', text: 'call.devicesLostBody', retry: true }
    if (media === 'recovering') return { tone: 'warn', text: 'call.recovering' }
    if (teller === 'lost') return { tone: 'warn', text: 'call.tellerLost' }
    if (flow.room.state.soundOnly) return { tone: 'warn', text: 'call.soundOnly' }
    if (teller === 'degraded') return { tone: 'warn', text: 'call.tellerDegraded' }
    return null
  })
}
