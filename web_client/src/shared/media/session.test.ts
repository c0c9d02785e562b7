import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { cameraAndMicrophone, FakePeer, FakeStream, FakeTrack, OFFER_SDP } from '../../../tests/fakes/fakePeer'
import { MediaSession, receivingMids, type MediaState, type MediaTransport } from './session'

let peers: FakePeer[]
let session: MediaSession
let states: MediaState[]
let transport: { join: ReturnType<typeof vi.fn>; answer: ReturnType<typeof vi.fn> } & MediaTransport
let local: MediaStream

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubGlobal('MediaStream', FakeStream)
  peers = []
  session = new MediaSession({
    createPeer: () => {
      const peer = new FakePeer()
      peers.push(peer)
      return peer as unknown as RTCPeerConnection
    },
  })
  states = []
  session.events.on('state', (state) => states.push(state))
  let number = 0
  transport = {
    join: vi.fn(async () => ({ peer_id: `peer_${++number}`, sdp_offer: OFFER_SDP, ice_servers: [], ice_transport_policy: 'all' })),
    answer: vi.fn(async () => ({})),
  } as never
  local = cameraAndMicrophone()
})

afterEach(() => {
  session.leave()
  vi.useRealTimers()
  vi.unstubAllGlobals()
})

const last = (): FakePeer => peers.at(-1) as FakePeer

describe('join', () => {
  it('answers the server’s offer with the local tracks in the slots that receive', async () => {
    await session.join(transport, local)
    expect(transport.answer).toHaveBeenCalledExactlyOnceWith('peer_1', 'v=0 answer')
    const [audio, video, screen] = last().transceivers
    expect(audio?.sender.track?.kind).toBe('audio')
    expect(video?.sender.track?.kind).toBe('video')
    expect(video?.direction).toBe('sendrecv')
    expect(screen?.sender.track).toBeNull()
  })

  it('puts the first remote tracks into one stream, at once', async () => {
    const seen: MediaStream[] = []
    session.events.on('remote', (stream) => seen.push(stream))
    await session.join(transport, local)
    expect(new Set(seen).size).toBe(1)
    expect(seen[0]?.getTracks().map((track) => track.kind)).toEqual(['audio', 'video'])
  })

  it('lets a third voice be heard once it speaks', async () => {
    await session.join(transport, local)
    const third = last().transceivers[3]?.receiver.track
    expect(session.remote.getAudioTracks()).toHaveLength(1)
    third?.dispatchEvent(new Event('unmute'))
    expect(session.remote.getAudioTracks()).toHaveLength(2)
    expect(session.remote.getAudioTracks()[1]).toBe(third)
  })

  it('caps what is sent', async () => {
    await session.join(transport, local)
    expect(last().transceivers[1]?.sender.parameters.encodings[0]).toMatchObject({ maxBitrate: 800_000 })
    session.setProfile('warm')
    await vi.advanceTimersByTimeAsync(0)
    expect(last().transceivers[1]?.sender.parameters.encodings[0]).toMatchObject({ maxBitrate: 120_000 })
  })

  it('tries again with growing pauses', async () => {
    transport.join.mockRejectedValueOnce(new Error('a')).mockRejectedValueOnce(new Error('b'))
    const pauses: number[] = []
    session.events.on('join_failed', ({ retry_ms }) => pauses.push(retry_ms))
    await session.join(transport, local)
    await vi.advanceTimersByTimeAsync(2000)
    expect(pauses).toEqual([500, 1000])
    expect(transport.answer).toHaveBeenCalledOnce()
  })

  it('does not wait for ICE candidates longer than the cap', async () => {
    const slow = new FakePeer()
    slow.iceGatheringState = 'gathering'
    session = new MediaSession({ createPeer: () => slow as unknown as RTCPeerConnection })
    const joined = session.join(transport, local)
    await vi.advanceTimersByTimeAsync(299)
    expect(transport.answer).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    await joined
    expect(transport.answer).toHaveBeenCalledOnce()
  })

  it('takes only the relay where the server says so, and waits for it', async () => {
    const slow = new FakePeer()
    slow.iceGatheringState = 'gathering'
    const createPeer = vi.fn(() => slow as unknown as RTCPeerConnection)
    session = new MediaSession({ createPeer })
    const server = { urls: ['turns:relay.example:443'], username: '1:visit', credential: 'c' }
    const offer = { peer_id: 'p', sdp_offer: OFFER_SDP, ice_servers: [server], ice_transport_policy: 'relay' as const }
    vi.mocked(transport.join).mockResolvedValueOnce(offer)
    const joined = session.join(transport, local)
    await vi.advanceTimersByTimeAsync(5000)
    expect(createPeer).toHaveBeenCalledWith(expect.objectContaining({ iceServers: [server], iceTransportPolicy: 'relay' }))
    expect(transport.answer).not.toHaveBeenCalled()
    const candidate = { candidate: 'candidate:1 1 udp 1 192.0.2.1 50000 typ relay raddr 0.0.0.0 rport 0' }
    slow.dispatchEvent(Object.assign(new Event('icecandidate'), { candidate }))
    await vi.advanceTimersByTimeAsync(300)
    await joined
    expect(transport.answer).toHaveBeenCalledOnce()
  })
})

describe('recovery', () => {
  beforeEach(async () => {
    await session.join(transport, local)
    last().become('connected')
  })

  it('makes a new connection when the old one failed', async () => {
    last().become('failed')
    await vi.advanceTimersByTimeAsync(0)
    expect(peers).toHaveLength(2)
    expect(peers[0]?.closed).toBe(true)
    last().become('connected')
    expect(states).toEqual(['joining', 'connected', 'recovering', 'connected'])
  })

  it('gives a short disconnection a chance', async () => {
    last().become('disconnected')
    await vi.advanceTimersByTimeAsync(900)
    last().become('connected')
    await vi.advanceTimersByTimeAsync(5000)
    expect(peers).toHaveLength(1)
  })

  it('does not wait for ever for a disconnection to heal', async () => {
    last().become('disconnected')
    await vi.advanceTimersByTimeAsync(1000)
    expect(peers).toHaveLength(2)
  })

  it('keeps a working connection when only the socket came back', async () => {
    await session.ensure()
    expect(peers).toHaveLength(1)
  })

  it('says when nothing comes any more, and then does not keep the connection when the socket came back', async () => {
    const silent = vi.fn()
    session.events.on('silent', silent)
    let packets = 0
    Object.assign(last(), {
      getStats: async () => new Map([['T', { type: 'transport', packetsReceived: packets }]]),
    })
    for (let at = 0; at < 4; at += 1) {
      packets += 25
      await vi.advanceTimersByTimeAsync(500)
    }
    await vi.advanceTimersByTimeAsync(3000)
    expect(silent).toHaveBeenCalledOnce()
    session.setProfile('warm') // nothing has to come while one waits
    await session.ensure()
    expect(peers).toHaveLength(1)
    session.setProfile('full')
    packets += 1 // the network is back, and with it what comes through it
    await session.ensure()
    expect(peers).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(3000)
    await session.ensure()
    expect(peers).toHaveLength(2)
  })

  it('believes the server that nothing arrives, except right after connecting', async () => {
    await session.distrust()
    expect(peers).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(6000)
    await session.distrust()
    expect(peers).toHaveLength(2)
  })

  it('stays with a connection that came back while its successor was asked for', async () => {
    let release: (offer: unknown) => void = () => undefined
    transport.join.mockImplementationOnce(() => new Promise((resolve) => (release = resolve)))
    const own = last()
    own.become('disconnected')
    await vi.advanceTimersByTimeAsync(1000)
    expect(transport.join).toHaveBeenCalledTimes(2)
    own.become('connected')
    release({ peer_id: 'peer_late', sdp_offer: OFFER_SDP, ice_servers: [], ice_transport_policy: 'all' })
    await vi.advanceTimersByTimeAsync(0)
    expect(peers).toEqual([own])
    expect(session.peer_id).toBe('peer_1')
    expect(session.state).toBe('connected')
  })

  it('drops the answer of an attempt that was overtaken', async () => {
    let release: (offer: unknown) => void = () => undefined
    transport.join.mockImplementationOnce(() => new Promise((resolve) => (release = resolve)))
    const first = session.rejoin()
    await session.rejoin()
    release({ peer_id: 'late', sdp_offer: OFFER_SDP, ice_servers: [], ice_transport_policy: 'all' })
    await first
    expect(transport.answer).not.toHaveBeenCalledWith('late', expect.anything())
  })

  it('ends with leave', async () => {
    session.leave()
    expect(last().closed).toBe(true)
    await session.rejoin()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(peers).toHaveLength(1)
    expect(session.state).toBe('idle')
  })
})

describe('local tracks', () => {
  it('are muted by switching them off', async () => {
    await session.join(transport, local)
    session.setMuted('audio', true)
    expect(local.getTracks().map((track) => track.enabled)).toEqual([false, true])
  })

  it('can be replaced while connected', async () => {
    await session.join(transport, local)
    const camera = new FakeTrack('video')
    await session.replaceLocal(new FakeStream([camera]) as unknown as MediaStream)
    expect(last().transceivers[1]?.sender.track).toBe(camera)
  })
})

describe('the picture the server asks for', () => {
  it('changes without a new offer, sound stays, and a new connection keeps to it', async () => {
    await session.join(transport, local)
    const [audio, video] = last().transceivers
    await session.setPicture('low')
    expect(video?.sender.parameters.encodings[0]).toMatchObject({ maxFramerate: 15, active: true })
    expect((local.getVideoTracks()[0] as unknown as FakeTrack).constraints).toMatchObject({ width: { ideal: 640 }, frameRate: { max: 15 } })
    await session.setPicture('audio')
    expect(video?.sender.parameters.encodings[0]).toMatchObject({ active: false })
    expect(audio?.sender.parameters.encodings[0]).not.toHaveProperty('active')
    expect(transport.join).toHaveBeenCalledOnce()
    await session.rejoin()
    expect(last().transceivers[1]?.sender.parameters.encodings[0]).toMatchObject({ active: false })
    await session.setPicture('vga')
    expect(last().transceivers[1]?.sender.parameters.encodings[0]).toMatchObject({ active: true, maxFramerate: 24 })
  })

  it('becomes sharp for a document and goes back, in the same connection', async () => {
    await session.join(transport, local)
    const camera = local.getVideoTracks()[0] as unknown as FakeTrack
    const parameters = () => last().transceivers[1]?.sender.parameters
    await session.setPicture('hd')
    expect(parameters()).toMatchObject({ degradationPreference: 'maintain-resolution', encodings: [{ maxBitrate: 2_000_000 }] })
    expect(camera.constraints).toMatchObject({ width: { ideal: 1280 }, height: { ideal: 720 } })
    await session.setPicture('vga')
    expect(parameters()).toMatchObject({ degradationPreference: 'maintain-framerate', encodings: [{ maxBitrate: 800_000 }] })
    expect(camera.constraints).toMatchObject({ width: { ideal: 640 }, height: { ideal: 480 } })
    expect(transport.join).toHaveBeenCalledOnce()
  })
})

describe('a shared screen', () => {
  const withScreen = OFFER_SDP.replace('a=mid:2\r\na=sendonly', 'a=mid:2\r\na=recvonly')

  it('has its slot promised from the start, is shown without a new offer, and after a reconnect', async () => {
    transport.join.mockImplementation(async () => ({
      peer_id: 'p', sdp_offer: withScreen, ice_servers: [], ice_transport_policy: 'all',
    }))
    await session.join(transport, local)
    const slot = last().transceivers[2]
    expect(slot?.direction).toBe('sendonly')
    expect(slot?.sender.track).toBeNull()
    const screen = new FakeTrack('video')
    screen.contentHint = 'detail'
    await session.shareScreen(screen as unknown as MediaStreamTrack)
    expect(slot?.sender.track).toBe(screen)
    expect(slot?.sender.parameters.encodings[0]).toMatchObject({ maxFramerate: 8 })
    expect(transport.join).toHaveBeenCalledOnce()
    const camera = new FakeTrack('video')
    await session.replaceLocal(new FakeStream([camera]) as unknown as MediaStream)
    expect(slot?.sender.track).toBe(screen)
    await session.rejoin()
    expect(last().transceivers[2]?.sender.track).toBe(screen)
    await session.shareScreen(null)
    expect(last().transceivers[2]?.sender.track).toBeNull()
  })

  it('is nothing that a customer can send', async () => {
    await session.join(transport, local)
    await session.shareScreen(new FakeTrack('video') as unknown as MediaStreamTrack)
    expect(last().transceivers[2]?.sender.track).toBeNull()
  })
})

describe('receivingMids', () => {
  it('leaves out sections in which the server only sends', () => {
    expect([...receivingMids(OFFER_SDP)]).toEqual(['0', '1'])
  })
})
