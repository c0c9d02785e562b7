import type { CustomerCall, EndReason } from '@shared/protocol'

/** Where the customer is. One step fills the screen. */
export type Step =
  | 'restoring' // after a reload
  | 'choose'
  | 'closed' // no room in the queue, or out of hours: book a time
  | 'booking' // one's own booked time
  | 'check'
  | 'consent'
  | 'refused' // consent refused
  | 'waiting'
  | 'call'
  | 'rating'
  | 'goodbye'
  | 'ended' // without a talk

/** Why a visit ended without a talk. */
export type EndKind = 'left' | 'callback' | 'lost' | 'restart' | 'failed' | 'expired'

const END_KINDS: Record<EndReason, EndKind> = {
  customer_left_queue: 'left',
  customer_hung_up: 'left',
  customer_lost: 'lost',
  system_restart: 'restart',
  teller_hung_up: 'failed',
  teller_lost: 'failed',
  media_failed: 'failed',
  waited_too_long: 'left',
  wrong_business: 'left',
  not_ready: 'left',
  callback_asked: 'callback',
  appointment_made: 'left',
}

/** A reason this page does not know yet counts as a failure: no blame on the customer. */
export function endKind(reason: string | null): EndKind {
  return END_KINDS[reason as EndReason] ?? 'failed'
}

/** A talk that broke off: the rating page says so first. */
export function brokeOff(reason: string | null): boolean {
  return reason !== null && !['customer_hung_up', 'teller_hung_up'].includes(reason)
}

/** The step that belongs to a call's state. A call that ended before it was accepted has nothing to rate. */
export function stepOf(call: CustomerCall): 'waiting' | 'call' | 'rating' | 'ended' {
  switch (call.state) {
    case 'queued':
    case 'offered':
      return 'waiting'
    case 'accepted':
    case 'connected':
      return 'call'
    case 'wrap_up':
    case 'closed':
      return call.accepted_at === null ? 'ended' : 'rating'
  }
}

/** Which of the three dots before the queue is the current one; null where there are none. */
export function progressOf(step: Step): number | null {
  const at = ['choose', 'check', 'consent', 'waiting'].indexOf(step)
  return at < 0 ? null : at + 1
}
