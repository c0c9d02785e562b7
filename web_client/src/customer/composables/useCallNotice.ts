import { computed, type ComputedRef } from 'vue'
import type { VisitFlow } from '../visit/flow'

export interface CallNotice {
  tone: 'info' | 'warn' | 'bad'
  title?: string
  text: string
  /** What the customer can do about it with one tap. */
  action?: 'retry' | 'soundOnly' | 'picture'
}

/** The one sentence that matters most during a call, as text keys; null when all is well. */
export function useCallNotice(flow: VisitFlow): ComputedRef<CallNotice | null> {
  return computed(() => {
    const { call, media, teller } = flow.room.state
    if (!call) return null
    // A lost connection stops the recording too: what is said is the cause.
    if (media === 'recovering') return { tone: 'warn', text: 'call.recovering' }
    if (teller === 'lost') return { tone: 'warn', text: 'call.tellerLost' }
    if (teller === 'degraded' && !call.recording_ok) return { tone: 'warn', text: 'call.tellerDegraded' }
    if (!call.recording_ok) {
      return { tone: 'bad', title: 'call.recordingFailedTitle', text: 'call.recordingFailedBody' }
    }
    if (flow.devices.state.problem) return { tone: 'bad', title: 'call.devicesLostTitle', text: 'call.devicesLostBody', action: 'retry' }
    const { pictures, quality } = flow.room.state
    if (pictures.customer?.profile === 'audio') {
      return pictures.customer.why === 'hand'
        ? { tone: 'warn', text: 'call.soundChosen', action: 'picture' }
        : { tone: 'warn', text: 'call.soundOnly' }
    }
    if (pictures.teller?.profile === 'audio') return { tone: 'warn', text: 'call.tellerSoundOnly' }
    if (pictures.teller?.shown === false) return { tone: 'warn', text: 'call.pictureSpared' }
    if (teller === 'degraded') return { tone: 'warn', text: 'call.tellerDegraded' }
    if (quality.customer === 1) return { tone: 'warn', text: 'call.poorNetwork', action: 'soundOnly' }
    return null
  })
}
