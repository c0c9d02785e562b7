/** Camera and microphone: getting them and saying why not. */

export type DeviceProblem =
  | 'insecure' // the page was not loaded over HTTPS or localhost
  | 'in_app' // a web view inside another app that keeps the camera to itself
  | 'unsupported' // no WebRTC in this browser
  | 'denied' // the person or the system said no
  | 'missing' // no such device
  | 'busy' // another program holds it
  | 'unknown'

export interface CaptureWish {
  video: boolean
}

const AUDIO: MediaTrackConstraints = { echoCancellation: true, noiseSuppression: true, autoGainControl: true }
const VIDEO: MediaTrackConstraints = {
  width: { ideal: 640 },
  height: { ideal: 480 },
  frameRate: { ideal: 24, max: 30 },
  facingMode: 'user',
}

/** Opens microphone and, if wished, camera. Rejects with the browser's DOMException. */
export async function openCapture(wish: CaptureWish): Promise<MediaStream> {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: AUDIO, video: wish.video ? VIDEO : false })
  for (const track of stream.getVideoTracks()) track.contentHint = 'motion'
  for (const track of stream.getAudioTracks()) track.contentHint = 'speech'
  return stream
}

/** What a getUserMedia refusal means for the person in front of the page. */
export function problemOf(error: unknown): DeviceProblem {
  const name = error instanceof DOMException || error instanceof Error ? error.name : ''
  switch (name) {
    case 'NotAllowedError':
    case 'SecurityError':
      return 'denied'
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'missing'
    case 'NotReadableError':
    case 'AbortError':
      return 'busy'
    default:
      return 'unknown'
  }
}

export type BrowserFamily = 'ios' | 'android' | 'chrome' | 'edge' | 'firefox' | 'safari' | 'other'

/** Whose settings a person has to open to allow the camera. */
export function browserFamily(userAgent: string): BrowserFamily {
  if (/iPhone|iPad|iPod/.test(userAgent)) return 'ios'
  if (/Android/.test(userAgent)) return 'android'
  if (/Edg\//.test(userAgent)) return 'edge'
  if (/Firefox\//.test(userAgent)) return 'firefox'
  if (/Chrome\//.test(userAgent)) return 'chrome'
  if (/Safari\//.test(userAgent)) return 'safari'
  return 'other'
}

const IN_APP = /MicroMessenger|DingTalk|AlipayClient|QQ\/|Weibo|baiduboxapp|aweme|FBAN|FBAV|Instagram|Line\//i

/** The app whose built-in web view this is, or null in a real browser. */
export function inAppBrowser(userAgent: string): string | null {
  return IN_APP.exec(userAgent)?.[0].replace('/', '') ?? null
}

/** A problem that is known before asking for the camera. */
export function problemBefore(userAgent: string, secure: boolean, hasMedia: boolean): DeviceProblem | null {
  if (inAppBrowser(userAgent)) return 'in_app'
  if (!secure) return 'insecure'
  return hasMedia ? null : 'unsupported'
}

export function stopStream(stream: MediaStream | null): void {
  for (const track of stream?.getTracks() ?? []) track.stop()
}
