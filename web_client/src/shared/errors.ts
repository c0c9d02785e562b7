import type { ErrorBody } from './protocol'

/**
 * A refusal or failure with a stable code. Codes of the server travel unchanged; the page adds
 * `net.unreachable` (no answer) and `net.timeout` (no answer in time).
 */
export class ApiError extends Error {
  readonly code: string
  readonly retryable: boolean
  readonly fields: Record<string, unknown>
  /** HTTP status, 0 without an HTTP answer. */
  readonly status: number

  constructor(body: Partial<ErrorBody> & { code: string }, status = 0) {
    super(body.message ?? body.code)
    this.name = 'ApiError'
    this.code = body.code
    this.retryable = body.retryable ?? false
    this.fields = body.fields ?? {}
    this.status = status
  }
}

/** The stable code of anything that was thrown. */
export function errorCode(error: unknown): string {
  return error instanceof ApiError ? error.code : 'internal'
}

/** The error in an answer's body, if it has the declared shape. */
export function errorFromBody(body: unknown, status: number): ApiError {
  const error = (body as { error?: unknown } | null)?.error
  if (error && typeof error === 'object' && typeof (error as ErrorBody).code === 'string') {
    return new ApiError(error as ErrorBody, status)
  }
  return new ApiError({ code: status >= 500 ? 'service.unavailable' : 'internal', retryable: status >= 500 }, status)
}
