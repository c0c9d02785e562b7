import type { TellerCall } from './wire'

export type RecordingLook = 'paused' | 'starting' | 'capturing' | 'failed' | 'stopped' | 'text'

/** What the teller has to know about the recording, in few words. A failure outranks everything. */
export function recordingLook(
  call: Pick<TellerCall, 'recording_ok' | 'recording_state' | 'state'> & Partial<Pick<TellerCall, 'recording_paused_until' | 'channel'>>,
): RecordingLook {
  if (call.channel === 'text') return 'text'
  if (!call.recording_ok || call.recording_state === 'failed') return 'failed'
  if (call.state === 'wrap_up' || call.state === 'closed') return 'stopped'
  if (call.recording_paused_until) return 'paused'
  return call.recording_state === 'capturing' ? 'capturing' : 'starting'
}
