import { describe, expect, it, vi } from 'vitest'
import { Emitter } from '@shared/emitter'
import { ApiError } from '@shared/errors'
import type { CustomerSocket } from '../visit/callRoom'
import { CounterDesk } from './desk'

function view(version: number, state = 'active') {
  return { case_id: 'case_1', version, state: 'running', steps: [{ key: 'form', kind: 'form', state, actions: [] }] }
}

function opened(answer: (name: string, payload: unknown) => unknown) {
  const events = new Emitter<Record<string, unknown>>()
  const link = new Emitter<Record<string, unknown>>()
  const request = vi.fn((name: string, payload: unknown) => Promise.resolve(answer(name, payload)))
  const socket = { on: events.on.bind(events), link, request } as unknown as CustomerSocket
  return { desk: new CounterDesk(socket, () => 'token'), events, link, request }
}

describe('the customer’s desk', () => {
  it('shows what is pushed, never anything older', () => {
    const { desk, events } = opened(() => ({ case: null }))
    events.emit('counter.state', { case: view(3) })
    events.emit('counter.state', { case: view(2) })
    expect(desk.state.view?.version).toBe(3)
  })

  it('acts on the version it shows and takes the answer', async () => {
    const { desk, events, request } = opened(() => ({ case: view(4, 'done') }))
    events.emit('counter.state', { case: view(3) })
    expect(await desk.act('fill', { values: {} })).toBe(true)
    expect(request).toHaveBeenCalledWith('counter.act', { case_id: 'case_1', version: 3, step: 'form', action: 'fill', inputs: { values: {} } })
    expect(desk.state.view?.version).toBe(4)
  })

  it('says why it was refused and fetches what is newer', async () => {
    const { desk, events } = opened((name) => {
      if (name === 'counter.act') throw new ApiError({ code: 'case.stale' })
      return { case: view(9) }
    })
    events.emit('counter.state', { case: view(3) })
    expect(await desk.act('fill')).toBe(false)
    expect([desk.state.error, desk.state.view?.version]).toEqual(['case.stale', 9])
  })

  it('asks again after a break and forgets at the end', async () => {
    const { desk, link } = opened(() => ({ case: view(5) }))
    link.emit('resumed', undefined)
    await vi.waitFor(() => expect(desk.state.view?.version).toBe(5))
    desk.forget()
    expect(desk.state.view).toBeNull()
  })
})
