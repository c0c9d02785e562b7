import { describe, expect, it, vi } from 'vitest'
import { HttpClient } from './http'

function answering(status: number, body: unknown): typeof fetch {
  return vi.fn(async () => new Response(JSON.stringify(body), { status })) as unknown as typeof fetch
}

describe('HttpClient', () => {
  it('sends JSON with the headers of the entry', async () => {
    const fetch = answering(200, { ok: 1 })
    const http = new HttpClient({ fetch, headers: () => ({ Authorization: 'Bearer t' }) })
    await expect(http.post('/api/x', { a: 1 })).resolves.toEqual({ ok: 1 })
    expect(fetch).toHaveBeenCalledWith(
      '/api/x',
      expect.objectContaining({
        method: 'POST',
        body: '{"a":1}',
        headers: expect.objectContaining({ Authorization: 'Bearer t', 'Content-Type': 'application/json' }),
      }),
    )
  })

  it('turns a coded refusal into an error', async () => {
    const body = { error: { code: 'rate.limited', message: 'slow down', retryable: true, fields: { after_s: 3 } } }
    const http = new HttpClient({ fetch: answering(429, body) })
    await expect(http.get('/api/x')).rejects.toMatchObject({ code: 'rate.limited', status: 429, fields: { after_s: 3 } })
  })

  it('makes do with an answer of another shape', async () => {
    const http = new HttpClient({ fetch: answering(502, '<html>') })
    await expect(http.get('/api/x')).rejects.toMatchObject({ code: 'service.unavailable', retryable: true })
  })

  it('does not take the answer to an earlier session for the end of this one', async () => {
    const onUnauthorized = vi.fn()
    let session: string | null = null
    const refused = answering(401, { error: { code: 'auth.required', message: '', retryable: false, fields: {} } })
    const http = new HttpClient({ fetch: refused, onUnauthorized, session: () => session })
    const asked = http.get('/api/x')
    session = 'signed in meanwhile'
    await expect(asked).rejects.toMatchObject({ code: 'auth.required' })
    expect(onUnauthorized).not.toHaveBeenCalled()
    await expect(http.get('/api/x')).rejects.toMatchObject({ code: 'auth.required' })
    expect(onUnauthorized).toHaveBeenCalledOnce()
  })

  it('tells the entry when the session has ended', async () => {
    const onUnauthorized = vi.fn()
    const http = new HttpClient({
      fetch: answering(401, { error: { code: 'auth.required', message: '', retryable: false, fields: {} } }),
      onUnauthorized,
    })
    await expect(http.get('/api/x')).rejects.toMatchObject({ code: 'auth.required' })
    expect(onUnauthorized).toHaveBeenCalledOnce()
  })

  it('says that nobody answered', async () => {
    const http = new HttpClient({ fetch: vi.fn(async () => Promise.reject(new TypeError('failed'))) as never })
    await expect(http.get('/api/x')).rejects.toMatchObject({ code: 'net.unreachable' })
  })

  it('has a deadline', async () => {
    const never = ((_path: string, init: RequestInit) =>
      new Promise((_resolve, reject) => init.signal?.addEventListener('abort', () => reject(init.signal?.reason)))) as never
    const http = new HttpClient({ fetch: never, timeout_ms: 5 })
    await expect(http.get('/api/x')).rejects.toMatchObject({ code: 'net.timeout' })
  })
})
