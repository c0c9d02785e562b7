import { describe, expect, it } from 'vitest'
import { warningsOf } from '../lib/warnings'
import { addCaption, emptyTranscript, linesOf } from '../lib/captions'
import { parseFlag } from '../lib/flags'
import { recordingLook } from '../lib/recording'
import { RING_RADIUS, ringArc } from '../lib/ring'
import { currentIds, inOrder, neighbour } from '../lib/segments'
import { ServerClock } from '../lib/serverClock'
import type { Caption, QaSegment } from '../lib/wire'

const at = (ms: number): string => new Date(ms).toISOString()

describe('ring countdown', () => {
  it('counts on the server’s clock when this machine is minutes off', () => {
    const clock = new ServerClock(() => 1_000_000)
    clock.learn(at(1_000_000 + 180_000))
    expect(clock.secondsUntil(at(1_000_000 + 200_000))).toBeCloseTo(20)
    expect(clock.secondsSince(at(1_000_000 + 170_000))).toBeCloseTo(10)
  })

  it('takes a little lateness for what it is: the network', () => {
    const clock = new ServerClock(() => 1_000_000)
    clock.learn(at(1_000_000 - 300))
    expect(clock.now()).toBe(1_000_000)
  })

  it('never shows less than nothing', () => {
    expect(new ServerClock(() => 50_000).secondsUntil(at(10_000))).toBe(0)
  })

  it('empties the ring', () => {
    const length = 2 * Math.PI * RING_RADIUS
    expect(ringArc(20, 20).offset).toBeCloseTo(0)
    expect(ringArc(5, 20).offset).toBeCloseTo(length * 0.75)
    expect(ringArc(0, 20).offset).toBeCloseTo(length)
    expect(ringArc(3, 0).offset).toBeCloseTo(length)
  })
})

describe('captions', () => {
  const caption = (party: Caption['party'], start_s: number, end_s: number, text: string, final: boolean): Caption => ({
    call_id: 'c',
    party,
    start_s,
    end_s,
    text,
    final,
  })
  const fold = (...captions: Caption[]) => linesOf(captions.reduce(addCaption, emptyTranscript())).map((line) => line.text)

  it('let the finished sentence take the place of the unfinished one', () => {
    expect(fold(caption('teller', 1, 2, '您', false), caption('teller', 1, 3, '您好', false), caption('teller', 1, 3, '您好。', true))).toEqual(['您好。'])
  })

  it('keep what the other side is saying', () => {
    expect(fold(caption('customer', 1, 2, '我想', false), caption('teller', 0, 2, '您好', true))).toEqual(['您好', '我想'])
  })

  it('stand in the order of speaking, not of arriving', () => {
    expect(fold(caption('teller', 5, 6, '二', true), caption('customer', 1, 4, '一', true))).toEqual(['一', '二'])
  })

  it('drop a partial that arrives after its final', () => {
    expect(fold(caption('teller', 1, 3, '完', true), caption('teller', 1, 2.5, '未', false))).toEqual(['完'])
  })

  it('replace a corrected final and clear an emptied partial', () => {
    expect(fold(caption('teller', 1, 3, '甲', true), caption('teller', 1, 3, '乙', true))).toEqual(['乙'])
    expect(fold(caption('teller', 1, 3, '甲', false), caption('teller', 1, 3, ' ', false))).toEqual([])
  })
})

describe('recording state', () => {
  const look = (recording_ok: boolean, recording_state: string | null, state: 'accepted' | 'connected' | 'wrap_up') =>
    recordingLook({ recording_ok, recording_state, state })

  it('never hides a failure', () => {
    expect(look(false, 'capturing', 'connected')).toBe('failed')
    expect(look(true, 'failed', 'wrap_up')).toBe('failed')
  })

  it('shows a secure pause, but never instead of a failure', () => {
    const call = { recording_ok: true, recording_state: 'capturing', state: 'connected', recording_paused_until: '2030-01-01T00:00:00Z' } as const
    expect([recordingLook(call), recordingLook({ ...call, recording_ok: false })]).toEqual(['paused', 'failed'])
  })

  it('is only green while it runs', () => {
    expect([look(true, null, 'accepted'), look(true, 'capturing', 'connected'), look(true, 'captured', 'wrap_up')]).toEqual([
      'starting',
      'capturing',
      'stopped',
    ])
  })
})

describe('segments and flags', () => {
  const segment = (id: string, start_s: number, end_s: number): QaSegment => ({ id, party: 'teller', start_s, end_s, text: id, kind: 'final' })
  const segments = [segment('b', 4, 8), segment('a', 1, 5)]

  it('light every sentence that is being said', () => {
    expect(inOrder(segments).map((each) => each.id)).toEqual(['a', 'b'])
    expect([...currentIds(segments, 4.5)].sort()).toEqual(['a', 'b'])
    expect([...currentIds(segments, 8)]).toEqual([])
  })

  it('find the neighbours of a position', () => {
    expect([neighbour([1, 5, 9], 5, 1), neighbour([1, 5, 9], 5, -1), neighbour([1, 5, 9], 9, 1)]).toEqual([2, 0, -1])
  })

  it('read flags and refuse what they do not know', () => {
    expect(parseFlag('missing:fee_notice')).toEqual({ kind: 'missing', rule_id: 'fee_notice' })
    expect([parseFlag('missing'), parseFlag('odd:thing'), parseFlag('')]).toEqual([null, null, null])
  })
})

describe('warnings', () => {
  it('are one for a sentence that breaks a rule with several words, newest first', () => {
    const warn = (at_s: number, evidence: string, phrase: string) => ({
      rule_id: 'promise_return', kind: 'forbidden' as const, severity: 'high', label_zh: '', label_en: '', party: 'teller' as const, at_s, phrase, evidence,
    })
    const shown = warningsOf([warn(31, '保本保息', '保本'), warn(31, '保本保息', '保息'), warn(40, '稳赚不赔', '稳赚')] as never)
    expect(shown.map(({ evidence }) => evidence)).toEqual(['稳赚不赔', '保本保息'])
  })
})
