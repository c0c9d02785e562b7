import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, expect, it, vi } from 'vitest'
import { radarOption } from '../lib/statisticsCharts'
import { usePeers } from '../stores/peers'
import { useStatistics } from '../stores/statistics'

const get = vi.fn<(path: string) => Promise<unknown>>()
const post = vi.fn<(path: string, body: unknown) => Promise<unknown>>()
vi.mock('../lib/server', () => ({ useServer: () => ({ http: { get, post } }) }))

beforeEach(() => {
  setActivePinia(createPinia())
  get.mockReset().mockResolvedValue({})
  post.mockReset().mockResolvedValue({})
})
const asked = (): URLSearchParams => new URL(get.mock.lastCall![0], 'http://x').searchParams

it('asks for the calls behind a number with the line, the days and what the report is narrowed to', async () => {
  const stats = useStatistics()
  stats.only = { kind: 'team', key: '一组', label: '一组' }
  await stats.open({ measure: 'low', since: '2026-03-01', until: '2026-03-31', by: 'teller', key: 'staff_1' })
  expect(Object.fromEntries(asked())).toEqual({ measure: 'low', since: '2026-03-01', until: '2026-03-31', by: 'teller', key: 'staff_1', team: '一组' })
  await stats.open({ measure: 'offered', since: '2026-03-01', until: '2026-03-31', by: 'teller', key: null })
  expect([asked().get('by'), asked().has('key')], 'calls nobody took').toEqual(['teller', false])
  await stats.open({ measure: 'rated', since: '2026-03-01', until: '2026-03-31', teller: 'staff_2' })
  expect([asked().get('teller'), asked().has('team')], 'a teller of the radar, whatever the report shows').toEqual(['staff_2', false])
})

it('shows the answer to the newest question only', async () => {
  const answers: ((value: unknown) => void)[] = []
  get.mockImplementation(() => new Promise((resolve) => answers.push(resolve)))
  const stats = useStatistics()
  const [first, second] = [stats.loadReport('day', 'a', 'b'), stats.loadReport('hour', 'a', 'b')]
  answers[1]!({ by: 'hour' })
  answers[0]!({ by: 'day' })
  await Promise.all([first, second])
  expect(stats.report?.by).toBe('hour')
})

it('keeps marks for a colleague once the server has them', async () => {
  get.mockImplementation((path) => Promise.resolve(path.includes('own-month') ? { row: null } : [{ teller_id: 't1', display_name: '李敏', score: null, comment: '' }]))
  const peers = usePeers()
  await peers.load('2026-03')
  post.mockRejectedValueOnce(new Error('no network'))
  await peers.mark('t1', 85, '耐心')
  expect([peers.colleagues?.[0]?.score, peers.saved, peers.failure !== null]).toEqual([null, null, true])
  await peers.mark('t1', 85, '耐心')
  expect(post).toHaveBeenLastCalledWith('/api/peer-reviews', { month: '2026-03', teller_id: 't1', score: '85', comment: '耐心' })
  expect([peers.colleagues?.[0]?.score, peers.saved, peers.failure]).toEqual(['85', 't1', null])
})

it('draws a part nobody can judge at the centre, with a dash', () => {
  const parts = { satisfaction: '90.00', volume: '100.00', errors: null, peers: null }
  const words = { name: '李敏', usual: '中位数', parts: { satisfaction: '满意', volume: '量', errors: '差错', peers: '互评' } }
  const { radar, series } = radarOption(parts, parts, words)
  expect(radar.indicator.map((each) => each.name)).toEqual(['满意\n90.00', '量\n100.00', '差错\n—', '互评\n—'])
  expect(series[0]!.data[1]!.value).toEqual([90, 100, 0, 0])
})
