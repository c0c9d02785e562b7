import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, expect, it, vi } from 'vitest'
import { usePractice } from '../stores/practice'

const post = vi.fn<(path: string, body: { lines: unknown[] }) => Promise<unknown>>()
const get = vi.fn<() => Promise<unknown>>()
vi.mock('../lib/server', () => ({ useServer: () => ({ http: { get, post } }) }))

const SAMPLE = {
  id: 's',
  title_zh: '样例',
  title_en: 'Sample',
  business_code: 'transfer',
  lines: [
    { party: 'teller', text: '您好' },
    { party: 'customer', text: '转账' },
  ],
}
const node = (line: number | null, required = true) => ({ id: 'n', label_zh: '问候', label_en: 'Greeting', required, line })

beforeEach(() => {
  setActivePinia(createPinia())
  post.mockReset()
  get.mockReset().mockResolvedValue([SAMPLE])
})

it('replays a sample sentence by sentence and counts what is missing', async () => {
  post.mockImplementation((_path, body) => Promise.resolve({ nodes: [node(body.lines.length ? 0 : null), node(null, false)], warnings: [], rules: 'r' }))
  const practice = usePractice()
  await practice.load()
  expect(practice.missing).toBe(1)
  practice.choose('s')
  expect(practice.business).toBe('transfer')
  expect([practice.replay(), practice.replay(), practice.replay()]).toEqual([true, false, false])
  await vi.waitFor(() => expect(practice.missing).toBe(0))
  expect(practice.lines).toHaveLength(2)
  expect(post).toHaveBeenLastCalledWith('/api/practice/check', { business_code: 'transfer', lines: SAMPLE.lines })
})

it('shows the answer to the newest lines only', async () => {
  const answers: ((value: unknown) => void)[] = []
  post.mockImplementation(() => new Promise((resolve) => answers.push(resolve)))
  const practice = usePractice()
  practice.say({ party: 'teller', text: '一' })
  practice.say({ party: 'teller', text: '二' })
  answers[1]!({ nodes: [], warnings: [], rules: 'new' })
  answers[0]!({ nodes: [], warnings: [], rules: 'old' })
  await vi.waitFor(() => expect(practice.checking).toBe(false))
  expect(practice.result?.rules).toBe('new')
})
