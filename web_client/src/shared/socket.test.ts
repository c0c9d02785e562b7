import { beforeEach, describe, expect, it, vi } from 'vitest'
import { FakeSocket } from '../../tests/fakes/fakeSocket'
import type { CustomerEvents, CustomerRequests } from './protocol'
import { type LinkState, SocketManager } from './socket'

let socket: FakeSocket
let manager: SocketManager<CustomerRequests, CustomerEvents>
let states: LinkState[]

beforeEach(() => {
  socket = new FakeSocket()
  manager = new SocketManager(socket)
  states = []
  manager.link.on('state', (state) => states.push(state))
})

describe('requests', () => {
  it('give the acknowledgement', async () => {
    socket.answers.set('call.snapshot', { ok: true, call: null })
    await expect(manager.request('call.snapshot', {})).resolves.toMatchObject({ call: null })
  })

  it('fail with the code of the server', async () => {
    socket.answers.set('queue.join', {
      ok: false,
      error: { code: 'consent.required', message: '', retryable: false, fields: {} },
    })
    await expect(manager.request('queue.join', {})).rejects.toMatchObject({ code: 'consent.required' })
  })

  it('tell a slow server from a missing one', async () => {
    await expect(manager.request('queue.join', {})).rejects.toMatchObject({ code: 'net.unreachable', retryable: true })
    socket.accept()
    await expect(manager.request('queue.join', {})).rejects.toMatchObject({ code: 'net.timeout' })
  })
})

describe('probe', () => {
  it('gives up a connection that does not answer, and comes back', async () => {
    const resumed = vi.fn()
    manager.link.on('resumed', resumed)
    manager.connect()
    socket.accept()
    await manager.probe('call.snapshot', {})
    expect(socket.connected).toBe(false)
    expect(socket.connects).toBe(2)
    expect(states.at(-1)).toBe('reconnecting')
    socket.accept()
    expect(resumed).toHaveBeenCalledOnce()
  })

  it('leaves a connection alone that answers, and one that is not there', async () => {
    await manager.probe('call.snapshot', {})
    manager.connect()
    socket.accept()
    socket.answers.set('call.snapshot', { ok: false, error: { code: 'rate.limited' } })
    await manager.probe('call.snapshot', {})
    expect(socket.connected).toBe(true)
    expect(socket.connects).toBe(1)
  })
})

describe('link', () => {
  it('passes messages on', () => {
    const seen = vi.fn()
    const off = manager.on('media.notice', seen)
    socket.receive('media.notice', { seat: 'teller', state: 'lost' })
    off()
    socket.receive('media.notice', { seat: 'teller', state: 'connected' })
    expect(seen).toHaveBeenCalledExactlyOnceWith({ seat: 'teller', state: 'lost' })
  })

  it('says resumed after a break but not at first', () => {
    const resumed = vi.fn()
    manager.link.on('resumed', resumed)
    manager.connect()
    socket.accept()
    expect(resumed).not.toHaveBeenCalled()
    socket.drop()
    socket.accept()
    expect(resumed).toHaveBeenCalledOnce()
    expect(states).toEqual(['connecting', 'connected', 'reconnecting', 'connected'])
  })

  it('comes back by itself when the server closed the connection', () => {
    manager.connect()
    socket.accept()
    socket.drop('io server disconnect')
    expect(socket.connects).toBe(2)
    expect(manager.state).toBe('reconnecting')
  })

  it('stays out when it was refused', () => {
    const refused = vi.fn()
    manager.link.on('refused', refused)
    socket.refuse(Object.assign(new Error('no'), { data: { code: 'visit.token_expired' } }))
    expect(manager.state).toBe('refused')
    expect(refused).toHaveBeenCalledWith(expect.objectContaining({ code: 'visit.token_expired' }))
  })

  it('reads the code from a bare refusal too', () => {
    socket.refuse(new Error('visit.token_invalid'))
    expect(manager.state).toBe('refused')
  })

  it('keeps trying when the network is away', () => {
    socket.refuse(new Error('xhr poll error'))
    expect(manager.state).toBe('reconnecting')
  })

  it('is idle after the page closed it', () => {
    manager.connect()
    socket.accept()
    manager.close()
    expect(manager.state).toBe('idle')
  })
})
