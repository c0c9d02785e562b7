import type { CustomerCall } from '../../src/shared/protocol'

/** A queued call, changed as a test needs it. */
export function call(change: Partial<CustomerCall> = {}): CustomerCall {
  return {
    call_id: 'call_1',
    number: 20317,
    state: 'queued',
    position: 3,
    wait_low_s: 60,
    wait_high_s: 180,
    teller: null,
    accepted_at: null,
    connected_at: null,
    ended_at: null,
    end_reason: null,
    recording_ok: true,
    ...change,
  }
}
