import { ApiError, errorFromBody } from './errors'

export interface HttpOptions {
  /** Headers for every request: the visit token, or the CSRF token for unsafe methods. */
  headers?: (method: string) => Record<string, string>
  /** Called when the server says that the session or token has ended (401). */
  onUnauthorized?: (error: ApiError) => void
  /** Which session a request belongs to. An answer that comes when there is another one says nothing about that. */
  session?: () => unknown
  timeout_ms?: number
  fetch?: typeof fetch
}

/** JSON over HTTP. Every failure is an `ApiError`; every request has a deadline. */
export class HttpClient {
  private readonly options: HttpOptions

  constructor(options: HttpOptions = {}) {
    this.options = options
  }

  get<T>(path: string): Promise<T> {
    return this.request<T>('GET', path)
  }

  post<T>(path: string, body: unknown = {}): Promise<T> {
    return this.request<T>('POST', path, body)
  }

  put<T>(path: string, body: unknown): Promise<T> {
    return this.request<T>('PUT', path, body)
  }

  /** Sends bytes as they are. */
  async upload<T>(path: string, file: Blob): Promise<T> {
    const headers = { Accept: 'application/json', 'Content-Type': file.type, ...this.options.headers?.('POST') }
    const asker = this.options.session?.()
    return this.answer<T>(await this.send(path, { method: 'POST', headers, body: file, credentials: 'same-origin' }), asker)
  }

  /** Fetches bytes. */
  async blob(path: string): Promise<Blob> {
    const init: RequestInit = { headers: this.options.headers?.('GET'), credentials: 'same-origin', cache: 'no-store' }
    const asker = this.options.session?.()
    const response = await this.send(path, init)
    if (!response.ok) await this.answer(response, asker)
    return response.blob()
  }

  async request<T>(method: string, path: string, body?: unknown): Promise<T> {
    const headers: Record<string, string> = { Accept: 'application/json', ...this.options.headers?.(method) }
    if (body !== undefined) headers['Content-Type'] = 'application/json'
    const asker = this.options.session?.()
    const response = await this.send(path, {
      method,
      headers,
      body: body === undefined ? undefined : JSON.stringify(body),
      credentials: 'same-origin',
      cache: 'no-store',
    })
    return this.answer<T>(response, asker)
  }

  private async answer<T>(response: Response, asker: unknown): Promise<T> {
    const answer: unknown = await response.json().catch(() => null)
    if (response.ok) return answer as T
    const error = errorFromBody(answer, response.status)
    if (response.status === 401 && asker === this.options.session?.()) this.options.onUnauthorized?.(error)
    throw error
  }

  private async send(path: string, init: RequestInit): Promise<Response> {
    const send = this.options.fetch ?? globalThis.fetch.bind(globalThis)
    try {
      return await send(path, { ...init, signal: AbortSignal.timeout(this.options.timeout_ms ?? 15_000) })
    } catch (error) {
      const timedOut = error instanceof DOMException && error.name === 'TimeoutError'
      throw new ApiError({ code: timedOut ? 'net.timeout' : 'net.unreachable', retryable: true })
    }
  }
}
