import { describe, expect, it } from 'vitest'
import type { Caption, Party } from '@shared/protocol'
import { foldCaption, MAX_LINES } from './captions'

const line = (party: Party, start_s: number, text: string, final = true): Caption => ({
  party,
  start_s,
  end_s: start_s + 1,
  text,
  final,
})

describe('foldCaption', () => {
  it('replaces a partial caption by its next version', () => {
    const lines = foldCaption(foldCaption([], line('teller', 1, '您', false)), line('teller', 1, '您好', false))
    expect(lines.map((each) => each.text)).toEqual(['您好'])
  })
  it('keeps both parties apart', () => {
    const lines = foldCaption([line('teller', 1, '您好', false)], line('customer', 2, '你好', false))
    expect(lines.map((each) => each.party)).toEqual(['teller', 'customer'])
  })
  it('puts them in the order of speaking', () => {
    const lines = foldCaption([line('customer', 5, '好的')], line('teller', 3, '请稍等'))
    expect(lines.map((each) => each.start_s)).toEqual([3, 5])
  })
  it('shows only the last few', () => {
    let lines: Caption[] = []
    for (let n = 0; n < 6; n += 1) lines = foldCaption(lines, line('teller', n, `${n}`))
    expect(lines).toHaveLength(MAX_LINES)
    expect(lines.at(-1)?.text).toBe('5')
  })
  it('takes a partial away that turned out to be nothing', () => {
    expect(foldCaption([line('teller', 1, '嗯', false)], line('teller', 1, ' ', true))).toEqual([])
  })
})
