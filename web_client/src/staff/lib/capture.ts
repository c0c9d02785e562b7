import { openCapture } from '@shared/media/devices'

/** Chosen devices; an empty id means the browser's choice. */
export interface DeviceChoice {
  camera: string
  microphone: string
}

const STORAGE_KEY = 'aircounter.devices'

export function storedChoice(): DeviceChoice {
  try {
    const kept = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? '{}') as Partial<DeviceChoice>
    return { camera: kept.camera ?? '', microphone: kept.microphone ?? '' }
  } catch {
    return { camera: '', microphone: '' }
  }
}

export function storeChoice(choice: DeviceChoice): void {
  localStorage.setItem(STORAGE_KEY, JSON.stringify(choice))
}

/**
 * Camera and microphone of a counter, which may have several of each. A remembered device that is gone gives way to the
 * browser's choice.
 */
export async function openChosen(choice: DeviceChoice): Promise<MediaStream> {
  const stream = await openCapture({ video: true })
  await swap(stream, 'video', choice.camera)
  await swap(stream, 'audio', choice.microphone)
  return stream
}

async function swap(stream: MediaStream, kind: 'audio' | 'video', deviceId: string): Promise<void> {
  const old = stream.getTracks().find((track) => track.kind === kind)
  if (!old || deviceId === '' || old.getSettings().deviceId === deviceId) return
  const wish = { ...old.getConstraints(), deviceId: { exact: deviceId } }
  const chosen = await navigator.mediaDevices.getUserMedia({ [kind]: wish }).catch(() => null)
  const track = chosen?.getTracks()[0]
  if (!track) return
  track.contentHint = old.contentHint
  old.stop()
  stream.removeTrack(old)
  stream.addTrack(track)
}
