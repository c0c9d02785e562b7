/** Limits of what we send. The picture is a face at 640×480: more bits do not make it clearer. */
export const VIDEO_MAX_BPS = 800_000
export const VIDEO_MAX_FPS = 24
export const AUDIO_MAX_BPS = 32_000

/** Caps bit rates; a browser that cannot is left as it is. */
export async function tuneSenders(peer: RTCPeerConnection): Promise<void> {
  for (const sender of peer.getSenders()) {
    if (!sender.track) continue
    const parameters = sender.getParameters()
    const encoding = parameters.encodings[0]
    if (!encoding) continue
    if (sender.track.kind === 'video') {
      encoding.maxBitrate = VIDEO_MAX_BPS
      encoding.maxFramerate = VIDEO_MAX_FPS
      // A smooth face matters more than a sharp one while talking.
      ;(parameters as { degradationPreference?: string }).degradationPreference = 'maintain-framerate'
    } else {
      encoding.maxBitrate = AUDIO_MAX_BPS
    }
    await sender.setParameters(parameters).catch(() => undefined)
  }
}
