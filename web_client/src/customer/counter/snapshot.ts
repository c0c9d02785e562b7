const SHARP_PX = 1280
const LOOK_MS = 100

/** Waits until the camera, asked for more, gives 1280×720; a camera that cannot is not waited for longer than this. */
export async function sharpened(stream: MediaStream, timeout_ms = 1500): Promise<void> {
  const track = stream.getVideoTracks()[0]
  const most = track?.getCapabilities?.().width?.max ?? SHARP_PX
  for (let waited = 0; most >= SHARP_PX && waited < timeout_ms; waited += LOOK_MS) {
    if ((track?.getSettings().width ?? 0) >= SHARP_PX) return
    await new Promise((done) => setTimeout(done, LOOK_MS))
  }
}

/**
 * One picture of the camera at the size it sends, as a JPEG.
 *
 * @throws Error when the stream gives no picture in time.
 */
export async function snapshot(stream: MediaStream, timeout_ms = 5000): Promise<Blob> {
  const video = document.createElement('video')
  video.muted = true
  video.playsInline = true
  video.srcObject = stream
  try {
    await Promise.race([
      new Promise<void>((done) => {
        video.onloadeddata = () => done()
        void video.play()
      }),
      new Promise<never>((_, fail) => setTimeout(() => fail(new Error('no picture')), timeout_ms)),
    ])
    const canvas = document.createElement('canvas')
    canvas.width = video.videoWidth
    canvas.height = video.videoHeight
    canvas.getContext('2d')!.drawImage(video, 0, 0)
    return await new Promise<Blob>((done, fail) =>
      canvas.toBlob((blob) => (blob ? done(blob) : fail(new Error('no picture'))), 'image/jpeg', 0.92),
    )
  } finally {
    video.srcObject = null
  }
}
