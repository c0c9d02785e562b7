/**
 * - `full`: a talk. A face at 640×480: more than 800 kbit/s does not make it clearer.
 * - `warm`: waiting. The transport and the rate estimate stay alive for about 1 MB a minute, so that
 *   half an hour in the queue does not eat a phone's data plan.
 * - `off`: opened in advance. No track is attached: nothing can be heard or seen, not even by the server.
 */
export type SendProfile = 'full' | 'warm' | 'off'

/** What the server wants this side to send: 1280×720 for identity and documents, 640×480, 15 pictures per second, or no picture so that sound gets through. */
export type PictureProfile = 'hd' | 'vga' | 'low' | 'audio'

const VIDEO: Record<Exclude<SendProfile, 'off'>, { maxBitrate: number; maxFramerate: number }> = {
  full: { maxBitrate: 800_000, maxFramerate: 24 },
  warm: { maxBitrate: 120_000, maxFramerate: 5 },
}
/** A document held still: every letter counts, movement does not. */
const HD = { maxBitrate: 2_000_000, maxFramerate: 15 }
/** Fits, with sound, into 300 kbit/s. */
const LOW = { maxBitrate: 180_000, maxFramerate: 15 }
/** A shared screen: every letter readable, hardly any movement. */
const SCREEN = { maxBitrate: 1_200_000, maxFramerate: 8 }
const AUDIO_MAX_BPS = 32_000

/** Caps bit and frame rates; a browser that cannot is left as it is. */
export async function tuneSenders(peer: RTCPeerConnection, profile: SendProfile, picture: PictureProfile = 'vga'): Promise<void> {
  if (profile === 'off') return
  for (const sender of peer.getSenders()) {
    if (!sender.track) continue
    const parameters = sender.getParameters()
    const encoding = parameters.encodings?.[0]
    if (!encoding) continue
    if (sender.track.contentHint === 'detail') {
      Object.assign(encoding, SCREEN)
      ;(parameters as { degradationPreference?: string }).degradationPreference = 'maintain-resolution'
    } else if (sender.track.kind === 'video') {
      Object.assign(encoding, profile === 'full' ? { vga: VIDEO.full, audio: VIDEO.full, hd: HD, low: LOW }[picture] : VIDEO[profile])
      encoding.active = picture !== 'audio'
      // A smooth face matters more than a sharp one while talking; of a document it is the other way round.
      const keep = picture === 'hd' ? 'maintain-resolution' : 'maintain-framerate'
      ;(parameters as { degradationPreference?: string }).degradationPreference = keep
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
  const [width, height] = picture === 'hd' ? [1280, 720] : [640, 480]
  const wanted = { width: { ideal: width }, height: { ideal: height }, frameRate }
  for (const track of local.getVideoTracks()) {
    await track.applyConstraints({ ...track.getConstraints(), ...wanted }).catch(() => undefined)
  }
}
