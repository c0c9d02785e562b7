import { ApiError } from '@shared/errors'
import { beforeEach, describe, expect, it } from 'vitest'
import type { Offer, Presence, ScriptState, TellerCall } from '../lib/wire'
import { useConsole } from '../stores/console'
import { fakeServer, type FakeSocket } from './fakes'

const presence = (state: Presence['state'], more: Partial<Presence> = {}): Presence => ({
  state,
  reason: '',
  since: new Date().toISOString(),
  call_id: null,
  wrap_up_until: null,
  missed_offers: 0,
  ...more,
})
const offer: Offer = {
  offer_id: 'offer_1',
  call_id: 'call_1',
  business_code: 'transfer',
  business_name_zh: '转账汇款',
  business_name_en: 'Transfer',
  waited_s: 40,
  expires_at: new Date(Date.now() + 20_000).toISOString(),
}
const call = (state: TellerCall['state'], more: Partial<TellerCall> = {}): TellerCall => ({
  call_id: 'call_1',
  number: 7,
  business_code: 'transfer',
  business_name_zh: '转账汇款',
  business_name_en: 'Transfer',
  language: 'zh-CN',
  state,
  queued_at: new Date().toISOString(),
  accepted_at: null,
  connected_at: null,
  ended_at: null,
  end_reason: null,
  recording_ok: true,
  recording_state: null,
  on_hold: false,
  sharing: false,
  transcription: 'live',
  ...more,
})
const script = (call_id: string): ScriptState => ({
  call_id,
  nodes: [
    { rule_id: 'greeting_identity', label_zh: '问候', label_en: 'Greeting', required: true, done: true, at_s: 2 },
    { rule_id: 'closing', label_zh: '结束语', label_en: 'Closing', required: true, done: false, at_s: null },
    { rule_id: 'dissuade', label_zh: '劝阻', label_en: 'Dissuade', required: false, done: false, at_s: null },
  ],
  warnings: [],
})

let socket: FakeSocket
let teller: ReturnType<typeof useConsole>

async function begin(snapshot: object): Promise<void> {
  socket.answers.set('presence.get', { presence: presence('ready'), offer: null, call: null, ...snapshot })
  await teller.start()
}

beforeEach(() => {
  socket = fakeServer().socket
  teller = useConsole()
})

describe('an offered call', () => {
  it('rings, is accepted, and its media stay the same ones throughout', async () => {
    await begin({})
    socket.say('presence', presence('offered', { call_id: 'call_1' }))
    socket.say('offer.ring', offer)
    expect(teller.screen).toBe('offer')
    const media = [teller.mediaCallId]
    socket.answers.set('offer.accept', { call: call('accepted') })
    const accepting = teller.accept()
    socket.say('offer.end', { offer_id: 'offer_1', outcome: 'accepted' })
    media.push(teller.mediaCallId)
    socket.say('presence', presence('in_call', { call_id: 'call_1' }))
    media.push(teller.mediaCallId)
    expect(await accepting).toBe(true)
    media.push(teller.mediaCallId)
    expect(media).toEqual(['call_1', 'call_1', 'call_1', 'call_1'])
    expect(teller.screen).toBe('call')
  })

  it('is accepted once however often Enter is pressed', async () => {
    await begin({ offer })
    socket.answers.set('offer.accept', { call: call('accepted') })
    await Promise.all([teller.accept(), teller.accept(), teller.accept()])
    expect(socket.sent.filter(([name]) => name === 'offer.accept')).toHaveLength(1)
  })

  it('lapses: says so and frees the media', async () => {
    await begin({ offer })
    socket.say('offer.end', { offer_id: 'offer_1', outcome: 'timeout' })
    expect([teller.screen, teller.lastOffer, teller.mediaCallId]).toEqual(['idle', 'timeout', null])
  })

  it('does not end by the end of another offer', async () => {
    await begin({ offer })
    socket.say('offer.end', { offer_id: 'offer_0', outcome: 'timeout' })
    expect(teller.screen).toBe('offer')
  })

  it('that is gone when accepted leaves no dead card', async () => {
    await begin({ offer })
    socket.answers.set('offer.accept', new ApiError({ code: 'offer.gone' }))
    expect(await teller.accept()).toBe(false)
    expect([teller.screen, teller.failure?.code]).toEqual(['idle', 'offer.gone'])
  })
})

describe('a running call', () => {
  it('comes back after a reload', async () => {
    await begin({ presence: presence('in_call', { call_id: 'call_1' }), call: call('connected') })
    expect([teller.screen, teller.mediaCallId, teller.joinedLate]).toEqual(['call', 'call_1', true])
  })

  it('shows what is missing from the script, optional parts aside', async () => {
    await begin({ call: call('connected') })
    socket.say('script.state', script('call_1'))
    expect(teller.missing.map((node) => node.rule_id)).toEqual(['closing'])
    socket.say('script.state', { ...script('call_9'), nodes: [] })
    expect(teller.nodes).toHaveLength(3)
  })

  it('ignores what belongs to another call', async () => {
    await begin({ call: call('connected') })
    socket.say('caption', { call_id: 'call_9', party: 'customer', start_s: 1, end_s: 2, text: '别人', final: true })
    socket.say('media.notice', { call_id: 'call_9', seat: 'customer', state: 'lost' })
    expect([teller.lines, teller.seats]).toEqual([[], {}])
  })

  it('tells trouble and return, but not the first connection', async () => {
    await begin({ call: call('connected') })
    socket.say('media.notice', { call_id: 'call_1', seat: 'customer', state: 'connected' })
    expect(teller.seats.customer).toBeUndefined()
    socket.say('media.notice', { call_id: 'call_1', seat: 'customer', state: 'lost' })
    expect(teller.seats.customer).toMatchObject({ state: 'lost', back: false })
    socket.say('media.notice', { call_id: 'call_1', seat: 'customer', state: 'connected' })
    expect(teller.seats.customer).toMatchObject({ state: 'connected', back: true })
  })

  it('ends in wrap-up, is filed, and leaves nothing of the customer behind', async () => {
    await begin({ call: call('connected') })
    socket.say('caption', { call_id: 'call_1', party: 'customer', start_s: 1, end_s: 2, text: '你好', final: true })
    socket.say('call.state', call('wrap_up', { end_reason: 'customer_hung_up' }))
    expect([teller.screen, teller.mediaCallId, teller.lines.length]).toEqual(['wrapup', null, 1])
    socket.answers.set('call.wrapup', { presence: presence('ready') })
    await teller.wrapUp('resolved', '好')
    expect(socket.sent.at(-1)).toEqual(['call.wrapup', { call_id: 'call_1', disposition: 'resolved', note: '好' }])
    expect([teller.screen, teller.lines, teller.script]).toEqual(['idle', [], null])
  })

  it('goes on break after the wrap-up when asked', async () => {
    await begin({ presence: presence('wrap_up', { call_id: 'call_1' }), call: call('wrap_up') })
    socket.answers.set('call.wrapup', { presence: presence('ready') })
    socket.answers.set('presence.set', { presence: presence('break') })
    await teller.wrapUp('dropped', '', 'break')
    expect(teller.presence?.state).toBe('break')
  })

  it('that is already closed never appears', async () => {
    await begin({})
    socket.say('call.state', call('closed'))
    expect(teller.call).toBeNull()
  })

  it('is asked for again after the connection was lost, and forgotten if it is over', async () => {
    await begin({ call: call('connected') })
    socket.answers.set('presence.get', { presence: presence('ready'), offer: null, call: null })
    socket.fire('disconnect', 'transport close')
    expect(teller.link).toBe('reconnecting')
    socket.fire('connect')
    await new Promise((done) => setTimeout(done, 0))
    expect([teller.link, teller.screen]).toEqual(['connected', 'idle'])
  })
})

describe('hold', () => {
  it('asks for the opposite of what the server says', async () => {
    await begin({ presence: presence('in_call'), call: call('connected') })
    socket.answers.set('call.hold', {})
    await teller.toggleHold()
    socket.say('call.state', call('connected', { on_hold: true }))
    await teller.toggleHold()
    expect(socket.sent.filter(([name]) => name === 'call.hold').map(([, body]) => body)).toEqual([
      { call_id: 'call_1', on: true },
      { call_id: 'call_1', on: false },
    ])
  })
})
