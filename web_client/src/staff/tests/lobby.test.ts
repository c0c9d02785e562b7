import { createPinia, setActivePinia } from 'pinia'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { cameraAndMicrophone, FakePeer, FakeStream, OFFER_SDP } from '../../../tests/fakes/fakePeer'
import { FakeSocket } from '../../../tests/fakes/fakeSocket'
import { setServer, type Server } from '../lib/server'
import { useMedia } from '../stores/media'
import { HttpClient } from '@shared/http'
import type { StaffEvents, StaffRequests } from '@shared/protocol'
import { SocketManager } from '@shared/socket'

let socket: FakeSocket
let peers: FakePeer[]
let media: ReturnType<typeof useMedia>

const tracks = (peer: FakePeer | undefined): number => (peer?.getSenders() ?? []).filter((each) => each.track).length
const joins = (): unknown[] => socket.sent.filter((each) => each.name === 'media.join').map((each) => each.payload)

beforeEach(async () => {
  setActivePinia(createPinia())
  vi.stubGlobal('MediaStream', FakeStream)
  vi.stubGlobal('isSecureContext', true)
  vi.stubGlobal('RTCPeerConnection', function () {
    const peer = new FakePeer()
    peers.push(peer)
    return peer
  })
  vi.stubGlobal('navigator', {
    mediaDevices: { getUserMedia: async () => cameraAndMicrophone(), enumerateDevices: async () => [] },
  })
  peers = []
  socket = new FakeSocket()
  socket.answers.set('media.join', { ok: true, peer_id: 'peer_1', sdp_offer: OFFER_SDP, ice_servers: [], ice_transport_policy: 'all' })
  for (const name of ['media.answer', 'media.enter']) socket.answers.set(name, { ok: true })
  setServer({ http: new HttpClient(), socket: new SocketManager<StaffRequests, StaffEvents>(socket) } as Server)
  media = useMedia()
  await media.open()
  await media.warmUp()
})

afterEach(() => {
  media.close()
  vi.unstubAllGlobals()
})

it('waits connected and silent, and takes the connection into the call', async () => {
  peers[0]?.become('connected')
  expect(joins()).toEqual([{ call_id: null }])
  expect(tracks(peers[0])).toBe(0)
  await media.join('call_1')
  await vi.waitFor(() => expect(tracks(peers[0])).toBe(2))
  expect(socket.sent.at(-1)).toEqual({ name: 'media.enter', payload: { call_id: 'call_1', peer_id: 'peer_1' } })
  media.coolDown()
  expect([peers.length, media.state]).toEqual([1, 'connected'])
  // A connection that breaks later comes back in the call.
  peers[0]?.become('failed')
  await vi.waitFor(() => expect(joins()).toEqual([{ call_id: null }, { call_id: 'call_1' }]))
})

it('connects anew when the server cannot use what waited, or when it is not up yet', async () => {
  peers[0]?.become('connected')
  socket.answers.set('media.enter', { ok: false, error: { code: 'media.peer_not_found', message: '', retryable: false, fields: {} } })
  await media.join('call_1')
  expect([peers.length, peers[0]?.closed, tracks(peers[1])]).toEqual([2, true, 2])
  media.leave()
  await media.warmUp()
  await media.join('call_2')
  expect(joins().at(-1)).toEqual({ call_id: 'call_2' })
  expect(peers).toHaveLength(4)
})

it('lets go when no call will come', () => {
  media.coolDown()
  expect([peers[0]?.closed, media.state]).toEqual([true, 'idle'])
})
