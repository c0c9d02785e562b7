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
