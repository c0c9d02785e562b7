/**
 * - `full`: a talk. A face at 640×480: more than 800 kbit/s does not make it clearer.
 * - `warm`: waiting. The transport and the rate estimate stay alive for about 1 MB a minute, so that
 *   half an hour in the queue does not eat a phone's data plan.
 */
export type SendProfile = 'full' | 'warm'

/** What the server wants this side to send: 640×480, 15 pictures per second, or no picture so that sound gets through. */
export type PictureProfile = 'vga' | 'low' | 'audio'

const VIDEO: Record<SendProfile, { maxBitrate: number; maxFramerate: number }> = {
  full: { maxBitrate: 800_000, maxFramerate: 24 },
  warm: { maxBitrate: 120_000, maxFramerate: 5 },
}
const LOW = { maxBitrate: 300_000, maxFramerate: 15 }
/** A shared screen: every letter readable, hardly any movement. */
const SCREEN = { maxBitrate: 1_200_000, maxFramerate: 8 }
const AUDIO_MAX_BPS = 32_000

/** Caps bit and frame rates; a browser that cannot is left as it is. */
export async function tuneSenders(peer: RTCPeerConnection, profile: SendProfile, picture: PictureProfile = 'vga'): Promise<void> {
  for (const sender of peer.getSenders()) {
    if (!sender.track) continue
    const parameters = sender.getParameters()
    const encoding = parameters.encodings?.[0]
    if (!encoding) continue
    if (sender.track.contentHint === 'detail') {
      Object.assign(encoding, SCREEN)
      ;(parameters as { degradationPreference?: string }).degradationPreference = 'maintain-resolution'
    } else if (sender.track.kind === 'video') {
      Object.assign(encoding, profile === 'full' && picture === 'low' ? LOW : VIDEO[profile])
      encoding.active = picture !== 'audio'
      // A smooth face matters more than a sharp one while talking.
      ;(parameters as { degradationPreference?: string }).degradationPreference = 'maintain-framerate'
    } else {
      encoding.maxBitrate = AUDIO_MAX_BPS
    }
    // Two changes at once make one of them fail; the later one wins by being asked again.
    await sender.setParameters(parameters).catch(() => undefined)
  }
}

/** What the camera itself is asked for; a camera that cannot stays as it is. */
export async function tuneCamera(local: MediaStream, picture: PictureProfile): Promise<void> {
  const frameRate = picture === 'vga' ? { ideal: 24, max: 30 } : { ideal: 15, max: 15 }
  for (const track of local.getVideoTracks()) {
    await track.applyConstraints({ ...track.getConstraints(), frameRate }).catch(() => undefined)
  }
}
