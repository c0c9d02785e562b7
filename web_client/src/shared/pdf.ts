import { getDocument, GlobalWorkerOptions } from 'pdfjs-dist'
import workerUrl from 'pdfjs-dist/build/pdf.worker.min.mjs?url'

GlobalWorkerOptions.workerSrc = workerUrl

/** Draws every page of a PDF into canvases of this width; returns them in order. */
export async function drawPages(data: ArrayBuffer, width: number): Promise<HTMLCanvasElement[]> {
  const loading = getDocument({ data, isEvalSupported: false })
  const pdf = await loading.promise
  const canvases: HTMLCanvasElement[] = []
  for (let number = 1; number <= pdf.numPages; number++) {
    const page = await pdf.getPage(number)
    const scale = (width / page.getViewport({ scale: 1 }).width) * Math.min(2, devicePixelRatio || 1)
    const viewport = page.getViewport({ scale })
    const canvas = document.createElement('canvas')
    canvas.width = viewport.width
    canvas.height = viewport.height
    await page.render({ canvas, viewport }).promise
    canvases.push(canvas)
  }
  await loading.destroy()
  return canvases
}
