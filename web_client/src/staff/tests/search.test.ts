import { describe, expect, it } from 'vitest'
import { pieces, searchQuery } from '../stores/search'

const FILTER = { q: ' 保本 ', by: 'sound', party: '', business: 'transfer', days: 7 } as const

describe('search', () => {
  it('asks for what was chosen, and leaves out the rest', () => {
    const query = new URLSearchParams(searchQuery(FILTER, 'x', Date.UTC(2026, 2, 8)))
    expect(Object.fromEntries(query)).toEqual({ q: '保本', by: 'sound', business: 'transfer', since: '2026-03-01T00:00:00.000Z', after: 'x' })
  })

  it('marks what was found', () => {
    expect(pieces({ snippet: '这个保本，保本的', marks: [[2, 4], [5, 7]] })).toEqual([
      { text: '这个', found: false },
      { text: '保本', found: true },
      { text: '，', found: false },
      { text: '保本', found: true },
      { text: '的', found: false },
    ])
    expect(pieces({ snippet: '', marks: [] })).toEqual([])
  })
})
