import { ApiError } from '@shared/errors'
import { readFileSync } from 'node:fs'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { totalOf } from '../lib/score'
import type { EvaluationView, QaCallDetail, QaForm } from '../lib/wire'
import { useQaCall } from '../stores/qaCall'
import { queryOf } from '../stores/qaList'
import { fakeServer, type FakeHttp } from './fakes'

const form: QaForm = {
  version: 'f/1',
  sections: [
    {
      id: 's',
      title_zh: '节',
      title_en: 'S',
      items: [
        { id: 'a', title_zh: '甲', title_en: 'A', weight: 60, fatal: false },
        { id: 'b', title_zh: '乙', title_en: 'B', weight: 40, fatal: false },
        { id: 'f', title_zh: '否', title_en: 'F', weight: 0, fatal: true },
      ],
    },
  ],
}

interface Vector {
  name: string
  answers: Record<string, number | null>
  points: number
  fatal: boolean
}
interface VectorItem {
  id: string
  weight: number
  fatal?: 'section' | 'form'
  [other: string]: unknown
}
const vectors = JSON.parse(readFileSync('../tests/data/score_vectors.json', 'utf8')) as {
  form: { sections: { id: string; items: VectorItem[] }[] }
  cases: Vector[]
}
const vectorForm: QaForm = {
  version: 'v',
  sections: vectors.form.sections.map((section) => ({
    id: section.id,
    title_zh: '',
    title_en: '',
    items: section.items.map((item) => ({
      ...item,
      title_zh: '',
      title_en: '',
      fatal: item.fatal !== undefined,
      fatal_scope: item.fatal ?? 'none',
    })),
  })),
}

describe('the vectors shared with the server', () => {
  it.each(vectors.cases)('$name', ({ answers, points, fatal }) => {
    expect(totalOf(vectorForm, answers)).toMatchObject({ score: points, fatal })
  })
})

describe('running total', () => {
  it('weighs what applies; what does not apply leaves the denominator', () => {
    expect(totalOf(form, { a: 1, b: 0.5, f: 1 })).toMatchObject({ score: 80, fatal: false, answered: 3, items: 3 })
    expect(totalOf(form, { a: 0.5, b: null, f: null })).toMatchObject({ score: 50 })
  })

  it('is zero when a fatal item is not fully met', () => {
    expect(totalOf(form, { a: 1, b: 1, f: 0 })).toMatchObject({ score: 0, fatal: true })
  })

  it('is full when nothing applies, like on the server', () => {
    expect(totalOf(form, { a: null, b: null, f: null }).score).toBe(100)
  })

  it('rounds half up at two decimals', () => {
    const thirds: QaForm = { version: 'x', sections: [{ id: 's', title_zh: '', title_en: '', items: form.sections[0]!.items.map((item) => ({ ...item, fatal: false, weight: 1 })) }] }
    expect(totalOf(thirds, { a: 1, b: 1, f: 0 }).score).toBe(66.67)
    const eighths: QaForm = { version: 'x', sections: [{ id: 's', title_zh: '', title_en: '', items: [{ ...form.sections[0]!.items[0]!, weight: 800 }] }] }
    expect(totalOf(eighths, { a: 0.82605 }).score).toBe(82.61)
  })
})

const evaluation: EvaluationView = {
  id: 'eval_1',
  version: 3,
  state: 'pending',
  auto_answers: { a: { fraction: 1 }, b: { fraction: 0.5 }, f: { fraction: 1 } },
  auto_score: 80,
  auto_fatal: false,
  max_score: 100,
  answers: {},
  score: null,
  fatal: null,
  inspector_name: null,
  comment: '',
  submitted_at: null,
}
const detail: QaCallDetail = {
  call_id: 'call_1',
  number: 1,
  channel: 'video', chat: [], business_code: 'transfer',
  teller_name: 'T',
  ended_at: '2026-01-01T00:00:00Z',
  duration_s: 30,
  end_reason: null,
  recording_state: 'finalized',
  recording_verdict: 'pass',
  transcript_state: 'ready',
  auto_score: 80,
  max_score: 100,
  score: null,
  fatal: null,
  evaluation_state: 'pending',
  flags: [],
  recording: { state: 'finalized', error: null, started_at: '2026-01-01T00:00:00Z', gaps: [], interrupted: false, reasons: [] },
  holds: [],
  company: [],
  files: [],
  segments: [],
  findings: [],
  form,
  evaluation,
  rating: null,
  disposition: null,
  note: null,
  steps: [],
  task: null,
}
const PATH = '/api/qa/calls/call_1'

describe('evaluation on the desk', () => {
  let http: FakeHttp
  let qa: ReturnType<typeof useQaCall>

  beforeEach(async () => {
    http = fakeServer().http
    http.answers.set(`GET ${PATH}`, detail)
    qa = useQaCall()
    await qa.load('call_1')
  })

  it('starts empty: the pre-score is not the inspector’s score', () => {
    expect([qa.choices, qa.total?.answered, qa.autoChoices.b, qa.save]).toEqual([{}, 0, 0.5, 'clean'])
  })

  it('takes the pre-score only where the inspector has not judged', () => {
    qa.choose('b', 0)
    qa.takeAuto()
    expect(qa.choices).toEqual({ a: 1, b: 0, f: 1 })
    expect(qa.total?.score).toBe(60)
  })

  it('saves with the version it was read at and shows the server’s score', async () => {
    qa.takeAuto()
    qa.setComment('好')
    http.answers.set(`PUT ${PATH}/evaluation`, { ...evaluation, version: 4, state: 'submitted', score: 79.5, answers: evaluation.auto_answers, comment: '好' })
    expect(await qa.submit()).toBe(true)
    expect(http.sent.at(-1)?.[1]).toEqual({ version: 3, answers: { a: { fraction: 1 }, b: { fraction: 0.5 }, f: { fraction: 1 } }, comment: '好' })
    expect([qa.save, qa.evaluation?.score, qa.comment]).toEqual(['saved', 79.5, '好'])
  })

  it('keeps everything on a conflict and can save on top of the latest', async () => {
    qa.takeAuto()
    http.answers.set(`PUT ${PATH}/evaluation`, new ApiError({ code: 'evaluation.stale' }, 409))
    expect(await qa.submit()).toBe(false)
    qa.choose('a', 0.5)
    expect([qa.save, qa.choices.a]).toEqual(['stale', 0.5])
    http.answers.set(`GET ${PATH}`, { ...detail, evaluation: { ...evaluation, version: 9 } })
    http.answers.set(`PUT ${PATH}/evaluation`, (body: { version: number }) => ({ ...evaluation, version: body.version + 1, state: 'submitted', score: 50 }))
    expect(await qa.saveOver()).toBe(true)
    expect(http.sent.at(-1)?.[1]).toMatchObject({ version: 9, answers: { a: { fraction: 0.5 } } })
  })

  it('drops mine on reload after a conflict', async () => {
    qa.choose('a', 0)
    await qa.reload()
    expect([qa.choices, qa.save]).toEqual([{}, 'clean'])
  })

  it('does not disturb what is being written when it looks again', async () => {
    qa.choose('a', 0)
    http.answers.set(`GET ${PATH}`, { ...detail, transcript_state: 'ready', segments: [{ id: 's', party: 'teller', start_s: 0, end_s: 1, text: '好', kind: 'final' }], evaluation: { ...evaluation, version: 5 } })
    await qa.refresh()
    expect([qa.detail?.segments.length, qa.choices.a, qa.evaluation?.version]).toEqual([1, 0, 3])
  })

  it('lets the server keep what is typed, and goes on from there', async () => {
    vi.useFakeTimers()
    http.answers.set(`PUT ${PATH}/draft`, (given: { version: number }) => ({ ...evaluation, version: given.version + 1, draft: { answers: {}, comment: '', by: 'me' } }))
    qa.choose('a', 0.5)
    qa.explain('a', '语速快')
    expect(qa.save).toBe('dirty')
    await vi.runAllTimersAsync()
    expect(http.sent.at(-1)).toEqual([`PUT ${PATH}/draft`, { version: 3, answers: { a: { fraction: 0.5, comment: '语速快' } }, comment: '' }])
    expect([qa.save, qa.evaluation?.version]).toEqual(['draft', 4])
    http.answers.set(`GET ${PATH}`, { ...detail, evaluation: { ...evaluation, draft: { answers: { a: { fraction: 0.5, comment: '语速快' } }, comment: '半截', by: 'me' } } })
    await qa.load('call_1')
    expect([qa.choices, qa.comments, qa.comment, qa.save]).toEqual([{ a: 0.5 }, { a: '语速快' }, '半截', 'draft'])
    vi.useRealTimers()
  })

  it('shows a verdict at once and takes it back when the server refuses', async () => {
    const finding = { id: 'f1', rule_id: 'r', kind: 'missing', severity: 'minor', label_zh: '甲', label_en: 'A', party: null, at_s: null, end_s: null, score: 0, evidence: '', phrase: '' }
    http.answers.set(`GET ${PATH}`, { ...detail, findings: [finding] })
    await qa.load('call_1')
    http.answers.set('PUT /api/qa/findings/f1/verdict', {})
    expect(await qa.judge('f1', 'confirmed')).toBe(true)
    expect(qa.findings[0]?.verdict).toBe('confirmed')
    http.answers.set('PUT /api/qa/findings/f1/verdict', new ApiError({ code: 'auth.denied' }, 403))
    expect(await qa.judge('f1', 'rejected')).toBe(false)
    expect(qa.findings[0]?.verdict).toBe('confirmed')
  })

  it('puts what was never said first', async () => {
    const finding = (id: string, at_s: number | null) => ({ id, rule_id: id, kind: 'missing' as const, severity: 'minor' as const, label_zh: '', label_en: '', party: null, at_s, end_s: null, score: 0, evidence: '', phrase: '' })
    http.answers.set(`GET ${PATH}`, { ...detail, findings: [finding('late', 9), finding('never', null), finding('early', 1)] })
    await qa.load('call_1')
    expect(qa.findings.map((each) => each.id)).toEqual(['never', 'early', 'late'])
  })

  it('shows nothing of the call before when the next one fails', async () => {
    await qa.load('call_2')
    expect([qa.detail, qa.failure?.code]).toEqual([null, 'object.not_found'])
  })
})

it('asks only for the filters that are set', () => {
  expect(queryOf({ state: '', business: 'transfer', flag: 'missing:fee_notice', page: 2 })).toBe('business=transfer&flag=missing%3Afee_notice&page=2')
})
