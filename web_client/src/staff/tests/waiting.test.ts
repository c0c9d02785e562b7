import { describe, expect, it } from 'vitest'
import { useWaiting } from '../stores/waiting'
import { fakeServer } from './fakes'

describe('what waits', () => {
  it('adds up by page and by tab, and keeps its counts when the server is away', async () => {
    const { http } = fakeServer()
    http.answers.set('GET /api/my/waiting', {
      items: [
        { page: 'qa', tab: 'queue', count: 4, overdue: 1 },
        { page: 'qa', tab: 'rectifications', count: 2, overdue: 2 },
      ],
    })
    const waiting = useWaiting()
    await waiting.load()
    expect(waiting.byPage.qa).toEqual({ count: 6, overdue: 3 })
    expect(waiting.byTab['qa/queue']).toEqual({ count: 4, overdue: 1 })
    expect(waiting.byPage.myquality).toBeUndefined()
    http.answers.set('GET /api/my/waiting', new Error('away'))
    await waiting.load()
    expect(waiting.byPage.qa?.count).toBe(6)
  })
})
