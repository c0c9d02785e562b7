import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { ApiError } from '@shared/errors'
import { MediaSession } from '@shared/media/session'
import type { Business, CustomerEvents, CustomerRequests } from '@shared/protocol'
import { SocketManager } from '@shared/socket'
import { call } from '../../../tests/fakes/customerCall'
import { cameraAndMicrophone, FakePeer, FakeStream, OFFER_SDP } from '../../../tests/fakes/fakePeer'
import { FakeSocket } from '../../../tests/fakes/fakeSocket'
import type { CustomerApi } from '../api'
import { useCallNotice } from '../composables/useCallNotice'
import { DeviceCheck } from '../check/deviceCheck'
import { standing } from './booking'
import { CallRoom } from './callRoom'
import { VisitFlow } from './flow'
import { loadVisit, saveVisit } from './saved'

const TRANSFER: Business = {
  code: 'transfer', name_zh: '转账', name_en: 'Transfer', hint_zh: '', hint_en: '', recording_required: true,
}
const BOOKED = {
  code: '12345678', business_code: 'transfer', starts_at: '2026-01-01T02:00:00Z', ends_at: '2026-01-01T02:30:00Z', phone_masked: '138****8000', state: 'booked',
}
const ACCEPTED = { state: 'accepted', accepted_at: '2026-01-01T00:00:00Z', position: null } as const

let socket: FakeSocket
let api: { [K in keyof CustomerApi]: ReturnType<typeof vi.fn> }
let peers: FakePeer[]
let flow: VisitFlow

function build(preselected: string | null = null, appointment: string | null = null, entry: string | null = null): VisitFlow {
  const media = new MediaSession({
    createPeer: () => {
      const peer = new FakePeer()
      peers.push(peer)
      return peer as unknown as RTCPeerConnection
    },
  })
  const room = new CallRoom(new SocketManager<CustomerRequests, CustomerEvents>(socket), media)
  const devices = new DeviceCheck({
    roundTrip: async () => 10,
    capture: async () => cameraAndMicrophone(),
    level: () => () => undefined,
    before: () => null,
  })
  return new VisitFlow(api as unknown as CustomerApi, room, devices, {
    language: () => 'zh-CN',
    channel: 'web',
    preselected,
    appointment,
    entry,
  })
}

beforeEach(() => {
  vi.stubGlobal('MediaStream', FakeStream)
  sessionStorage.clear()
  peers = []
  socket = new FakeSocket()
  socket.answers.set('queue.join', { ok: true, call: call() })
  socket.answers.set('call.snapshot', { ok: true, call: call() })
  for (const name of ['queue.leave', 'call.hangup', 'media.answer', 'captions.set']) socket.answers.set(name, { ok: true })
  socket.answers.set('media.join', { ok: true, call_id: call().call_id, peer_id: 'peer_1', sdp_offer: OFFER_SDP, ice_servers: [], ice_transport_policy: 'all' })
  api = {
    businesses: vi.fn(async () => [TRANSFER]),
    recordingWording: vi.fn(async () => ({ purpose: 'recording', version: 'v1', text_zh: '告知', text_en: 'notice' })),
    openVisit: vi.fn(async () => ({ visit_id: 'visit_1', token: 'token_1' })),
    giveRecordingConsent: vi.fn(async () => ({ consent_id: 'c' })),
    rate: vi.fn(async () => ({})),
    queueStatus: vi.fn(async () => ({ open: true, full: false })),
    slots: vi.fn(async () => []),
    book: vi.fn(async () => BOOKED),
    appointment: vi.fn(async () => BOOKED),
    moveAppointment: vi.fn(async (_: string, starts_at: string) => ({ ...BOOKED, starts_at })),
    cancelAppointment: vi.fn(async () => ({ ...BOOKED, state: 'cancelled' })),
    earlyPapers: vi.fn(async () => ({ wanted: [], documents: [] })),
    handIn: vi.fn(),
    takeBack: vi.fn(),
    checkIn: vi.fn(),
    callBack: vi.fn(async () => ({})),
    comeBack: vi.fn(),
    claimEntry: vi.fn(),
    consents: vi.fn(),
    withdraw: vi.fn(),
    complain: vi.fn(async () => ({ number: 1 })),
    serviceNotice: vi.fn(async () => ({ text_zh: null, text_en: null })),
    roundTrip: vi.fn(async () => 10),
  }
  flow = build()
})

afterEach(() => {
  flow.room.close()
  vi.unstubAllGlobals()
})

async function toConsent(): Promise<void> {
  await flow.start()
  flow.choose(TRANSFER)
  await vi.waitFor(() => expect(flow.devices.state.devices).toBe('ready'))
  await flow.checked()
  socket.accept()
}

const sending = (): unknown[] => (peers.at(-1)?.getSenders() ?? []).map((each) => each.track).filter(Boolean)

async function toWaiting(): Promise<void> {
  await toConsent()
  await flow.agree()
  await vi.waitFor(() => expect(socket.names()).toContain('media.answer'))
}

describe('from the link to the queue', () => {
  it('uses the link of the bank before joining', async () => {
    flow = build('transfer', null, 'secret')
    await toWaiting()
    expect(api.claimEntry).toHaveBeenCalledExactlyOnceWith('secret')
    expect(flow.state.step).toBe('waiting')
  })

  it('takes three taps and stores the consent before joining', async () => {
    await toWaiting()
    expect(flow.state.step).toBe('waiting')
    expect(api.openVisit).toHaveBeenCalledWith('transfer', 'zh-CN', 'web')
    expect(api.giveRecordingConsent).toHaveBeenCalledExactlyOnceWith('v1', true)
    expect(socket.names()).toEqual(['media.join', 'media.answer', 'queue.join'])
    expect(loadVisit()).toMatchObject({ token: 'token_1', joined: true, talked: false })
  })

  it('opens the business of the link', async () => {
    flow = build('transfer')
    await flow.start()
    expect(flow.state).toMatchObject({ step: 'check', business: TRANSFER })
  })

  it('says when the businesses cannot be read and tries again', async () => {
    api.businesses.mockRejectedValueOnce(new ApiError({ code: 'net.unreachable' }))
    await flow.start()
    expect(flow.state).toMatchObject({ step: 'choose', businesses: null, error: 'net.unreachable' })
    await flow.loadBusinesses()
    expect(flow.state).toMatchObject({ businesses: [TRANSFER], error: null })
  })

  it('does not join without a stored consent', async () => {
    await toConsent()
    api.giveRecordingConsent.mockRejectedValueOnce(new ApiError({ code: 'service.unavailable' }, 503))
    await flow.agree()
    expect(flow.state).toMatchObject({ step: 'consent', error: 'service.unavailable' })
    expect(socket.names()).not.toContain('queue.join')
    expect(sending()).toEqual([])
  })

  it('opens a new visit when the reading took longer than the token lives', async () => {
    await toConsent()
    api.giveRecordingConsent.mockRejectedValueOnce(new ApiError({ code: 'visit.token_expired' }, 401))
    await flow.agree()
    expect(api.openVisit).toHaveBeenCalledTimes(2)
    expect(flow.state.step).toBe('waiting')
  })

  it('ends politely when the recording is refused', async () => {
    await toConsent()
    await flow.refuse()
    expect(flow.state.step).toBe('refused')
    expect(api.giveRecordingConsent).toHaveBeenCalledExactlyOnceWith('v1', false)
    expect(flow.devices.stream.value).toBeNull()
    expect(loadVisit()).toBeNull()
    expect(socket.names()).not.toContain('queue.join')
    expect(peers.every((peer) => peer.closed)).toBe(true)
  })
})

describe('while the notice is being read', () => {
  beforeEach(async () => {
    await toConsent()
    await vi.waitFor(() => expect(socket.names()).toContain('media.answer'))
  })

  it('is connected already but sends nothing; agreeing begins to send through the same connection', async () => {
    expect(peers[0]?.transceivers[0]?.direction).toBe('sendrecv')
    expect(sending()).toEqual([])
    await flow.agree()
    await vi.waitFor(() => expect(sending()).toHaveLength(2))
    expect(peers).toHaveLength(1)
  })

  it('connects anew when the server has another call than the one connected for', async () => {
    socket.answers.set('queue.join', { ok: true, call: call({ call_id: 'call_2' }) })
    await flow.agree()
    await vi.waitFor(() => expect(peers).toHaveLength(2))
  })

  it('closes the connection on the way back to the devices', () => {
    flow.back()
    expect(peers[0]?.closed).toBe(true)
  })
})

describe('waiting', () => {
  beforeEach(toWaiting)

  it('lets nobody hear the customer and sends little', () => {
    const [audio] = flow.devices.stream.value?.getAudioTracks() ?? []
    expect(audio?.enabled).toBe(false)
    expect(peers[0]?.transceivers[1]?.sender.parameters.encodings[0]).toMatchObject({ maxFramerate: 5 })
  })

  it('opens the microphone when a teller accepts', async () => {
    socket.receive('call.state', call(ACCEPTED))
    expect(flow.state.step).toBe('call')
    expect(flow.devices.stream.value?.getAudioTracks()[0]?.enabled).toBe(true)
    await vi.waitFor(() =>
      expect(peers[0]?.transceivers[1]?.sender.parameters.encodings[0]).toMatchObject({ maxFramerate: 24 }),
    )
  })

  it('can be left', async () => {
    await flow.leaveQueue()
    expect(flow.state).toMatchObject({ step: 'ended', end: 'left' })
    expect(flow.devices.stream.value).toBeNull()
  })

  it('stays when leaving fails', async () => {
    socket.answers.delete('queue.leave')
    await flow.leaveQueue()
    expect(flow.state).toMatchObject({ step: 'waiting', error: 'net.timeout' })
  })

  it('follows the server after a break', async () => {
    socket.drop()
    expect(flow.room.state.link).toBe('reconnecting')
    socket.answers.set('call.snapshot', { ok: true, call: call({ position: 1 }) })
    socket.accept()
    await vi.waitFor(() => expect(flow.room.state.call?.position).toBe(1))
  })

  it('says that the place was given up', async () => {
    socket.drop()
    socket.answers.set('call.snapshot', { ok: true, call: null })
    socket.accept()
    await vi.waitFor(() => expect(flow.state).toMatchObject({ step: 'ended', end: 'lost' }))
  })

  it('ends when the token is no longer good', () => {
    socket.refuse(Object.assign(new Error('no'), { data: { code: 'visit.token_expired' } }))
    expect(flow.state).toMatchObject({ step: 'ended', end: 'expired' })
  })
})

describe('call', () => {
  beforeEach(async () => {
    await toWaiting()
    socket.receive('call.state', call(ACCEPTED))
  })

  it('mutes and shows nothing when asked', () => {
    flow.room.toggleMute()
    flow.room.toggleCamera()
    expect(flow.devices.stream.value?.getTracks().map((track) => track.enabled)).toEqual([false, false])
  })

  it('stays muted when the state moves on', () => {
    flow.room.toggleMute()
    socket.receive('call.state', call({ ...ACCEPTED, state: 'connected' }))
    expect(flow.devices.stream.value?.getAudioTracks()[0]?.enabled).toBe(false)
  })

  it('shows captions only on request', async () => {
    const caption = { party: 'teller', start_s: 1, end_s: 2, text: '您好', final: true }
    socket.receive('caption', caption)
    expect(flow.room.state.captions).toEqual([])
    await flow.toggleCaptions()
    socket.receive('caption', caption)
    expect(flow.room.state.captions).toHaveLength(1)
    await flow.toggleCaptions()
    expect(socket.sent.filter((each) => each.name === 'captions.set').map((each) => each.payload)).toEqual([
      { on: true },
      { on: false },
    ])
  })

  it('takes the toggle back when captions cannot be had', async () => {
    socket.answers.delete('captions.set')
    await flow.toggleCaptions()
    expect(flow.room.state.captionsOn).toBe(false)
    expect(flow.state.error).toBe('net.timeout')
  })

  it('notes how the teller’s connection is', () => {
    socket.receive('media.notice', { seat: 'teller', state: 'lost' })
    expect(flow.room.state.teller).toBe('lost')
  })

  it('says that the teller is gone rather than that nobody records them', () => {
    const notice = useCallNotice(flow)
    socket.receive('call.state', call({ ...ACCEPTED, recording_ok: false }))
    expect(notice.value?.title).toBe('call.recordingFailedTitle')
    socket.receive('media.notice', { seat: 'teller', state: 'lost' })
    expect(notice.value?.text).toBe('call.tellerLost')
  })

  it('ends with the rating and then the goodbye', async () => {
    await flow.hangUp()
    socket.receive('call.state', call({ ...ACCEPTED, state: 'wrap_up', end_reason: 'customer_hung_up' }))
    expect(flow.state.step).toBe('rating')
    expect(flow.devices.stream.value).toBeNull()
    expect(peers[0]?.closed).toBe(true)
    await flow.rate(5, ['clear'], '谢谢')
    expect(api.rate).toHaveBeenCalledWith(5, ['clear'], '谢谢')
    expect(flow.state).toMatchObject({ step: 'goodbye', rated: true, number: 20317 })
    expect(loadVisit()).toBeNull()
  })

  it('keeps the rating when sending it fails', async () => {
    socket.receive('call.state', call({ ...ACCEPTED, state: 'closed', end_reason: 'teller_hung_up' }))
    api.rate.mockRejectedValueOnce(new ApiError({ code: 'net.unreachable' }))
    await flow.rate(5, [], '')
    expect(flow.state).toMatchObject({ step: 'rating', error: 'net.unreachable' })
  })

  it('sends its own connection away when the server hears nothing', async () => {
    const distrust = vi.spyOn(MediaSession.prototype, 'distrust')
    socket.receive('media.notice', { seat: 'customer', state: 'lost' })
    expect(distrust).toHaveBeenCalledOnce()
  })
})

describe('after a reload', () => {
  const saved = { token: 'token_1', business: TRANSFER, joined: true, talked: false }

  it('goes back into the queue', async () => {
    saveVisit(saved)
    flow = build()
    await flow.start()
    expect(flow.state).toMatchObject({ step: 'waiting', business: TRANSFER })
    await vi.waitFor(() => expect(socket.names()).toEqual(['call.snapshot', 'media.join', 'media.answer']))
    expect(api.businesses).not.toHaveBeenCalled()
  })

  it('goes back into the call', async () => {
    saveVisit({ ...saved, talked: true })
    socket.answers.set('call.snapshot', { ok: true, call: call({ ...ACCEPTED, state: 'connected' }) })
    flow = build()
    await flow.start()
    expect(flow.state.step).toBe('call')
    expect(flow.devices.stream.value?.getAudioTracks()[0]?.enabled).toBe(true)
  })

  it('goes back to the rating when the talk is over', async () => {
    saveVisit({ ...saved, talked: true })
    socket.answers.set('call.snapshot', { ok: true, call: null })
    flow = build()
    await flow.start()
    expect(flow.state.step).toBe('rating')
  })

  it('says so when the call is gone', async () => {
    saveVisit(saved)
    socket.answers.set('call.snapshot', { ok: true, call: null })
    flow = build()
    await flow.start()
    expect(flow.state).toMatchObject({ step: 'ended', end: 'lost' })
  })

  it('asks again when the server cannot be reached', async () => {
    saveVisit(saved)
    socket.answers.delete('call.snapshot')
    flow = build()
    await flow.start()
    expect(flow.state).toMatchObject({ step: 'restoring', error: 'net.unreachable' })
    expect(loadVisit()).not.toBeNull()
  })

  it('starts afresh with a note it cannot read', async () => {
    sessionStorage.setItem('aircounter.visit', '{"token": 5}')
    await flow.start()
    expect(flow.state.step).toBe('choose')
  })
})

describe('a consultation in writing', () => {
  const WRITING = { channel: 'text', ...ACCEPTED, state: 'connected' } as const

  async function toWriting(): Promise<void> {
    socket.answers.set('queue.join', { ok: true, call: call({ channel: 'text' }) })
    await flow.start()
    flow.choose(TRANSFER)
    await vi.waitFor(() => expect(flow.devices.state.devices).toBe('ready'))
    void flow.write()
    await vi.waitFor(() => expect(api.openVisit).toHaveBeenCalled())
    socket.accept()
    await vi.waitFor(() => expect(flow.state.step).toBe('waiting'))
  }

  it('asks for no consent and opens no media', async () => {
    await toWriting()
    expect(socket.sent.filter(({ name }) => name === 'queue.join')).toEqual([{ name: 'queue.join', payload: { channel: 'text' } }])
    socket.receive('call.state', call(WRITING))
    expect(flow.state.step).toBe('call')
    expect(api.giveRecordingConsent).not.toHaveBeenCalled()
    expect(peers).toEqual([])
  })

  it('goes on by video only after devices and consent, and back to writing without', async () => {
    await toWriting()
    socket.receive('call.state', call({ ...WRITING, video_asked: true }))
    flow.raise()
    expect(flow.state.step).toBe('check')
    socket.receive('call.state', call({ ...WRITING, video_asked: true }))
    expect(flow.state.step, 'news of the call does not throw anybody out of the check').toBe('check')
    socket.answers.set('text.decline', { ok: true })
    await flow.keepWriting()
    expect([flow.state.step, flow.state.raising]).toEqual(['call', false])
    flow.raise()
    await vi.waitFor(() => expect(flow.devices.state.devices).toBe('ready'))
    await flow.checked()
    expect(flow.state.step).toBe('consent')
    socket.answers.set('text.video', { ok: true })
    socket.answers.set('call.snapshot', { ok: true, call: call(ACCEPTED) })
    await flow.agree()
    expect(api.giveRecordingConsent).toHaveBeenCalledWith('v1', true)
    expect(flow.state.step).toBe('call')
    await vi.waitFor(() => expect(peers).toHaveLength(1))
  })
})

describe('a booked time', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
  afterEach(() => void vi.useRealTimers())

  it('is shown by its link when it is too early, and left by entering when it is time', async () => {
    vi.setSystemTime('2026-01-01T01:00:00Z')
    flow = build(null, '12345678')
    await flow.start()
    expect([flow.state.step, standing(flow.booking.state.appointment!, Date.now())]).toEqual(['booking', 'early'])
    await flow.booking.move('2026-01-01T01:10:00Z')
    expect(standing(flow.booking.state.appointment!, Date.now())).toBe('now')
    flow.enterBooked()
    await vi.waitFor(() => expect(flow.devices.state.devices).toBe('ready'))
    await flow.checked()
    expect(api.checkIn).toHaveBeenCalledWith('12345678')
  })

  it('leads straight in when it is time, and says why not when there is none', async () => {
    vi.setSystemTime('2026-01-01T02:05:00Z')
    flow = build(null, '12345678')
    await flow.start()
    expect(flow.state.step).toBe('check')
    api.appointment.mockRejectedValueOnce(new ApiError({ code: 'appointment.not_found' }, 404))
    flow.restart()
    await flow.openBooking('00000000')
    expect([flow.state.step, flow.booking.state.error]).toEqual(['booking', 'appointment.not_found'])
  })

  it('keeps what was chosen when a time is gone, and asks for the free ones again', async () => {
    await flow.start()
    flow.choose(TRANSFER)
    flow.later()
    api.book.mockRejectedValueOnce(new ApiError({ code: 'slot.gone' }, 409))
    await flow.book('2026-01-01T02:00:00Z', '13800138000')
    expect([flow.state.step, flow.booking.state.error]).toEqual(['closed', 'slot.gone'])
    expect(api.slots).toHaveBeenCalledTimes(1)
    await flow.book('2026-01-01T02:30:00Z', '13800138000')
    expect([flow.state.step, flow.booking.state.appointment?.code]).toEqual(['booking', '12345678'])
    await flow.booking.cancel()
    expect(standing(flow.booking.state.appointment!, Date.now())).toBe('over')
  })
})
