import { ApiError, errorFromBody } from '@shared/errors'

/** A PDF of the visit, as bytes. @throws ApiError */
export async function fetchPdf(path: string, token: string): Promise<ArrayBuffer> {
  let response: Response
  try {
    response = await fetch(path, { headers: { Authorization: `Bearer ${token}` }, cache: 'no-store', signal: AbortSignal.timeout(30_000) })
  } catch {
    throw new ApiError({ code: 'net.unreachable', retryable: true })
  }
  if (!response.ok) throw errorFromBody(await response.json().catch(() => null), response.status)
  return response.arrayBuffer()
}

export async function sha256(data: ArrayBuffer): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', data)
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
