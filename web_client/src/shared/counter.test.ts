import { describe, expect, it } from 'vitest'
import { fen, valuesOf, yuan, type FieldSpec } from './counter'

const field = (key: string, type: FieldSpec['type']): FieldSpec => ({
  key, type, label_zh: key, label_en: key, hint_zh: null, hint_en: null, required: true, max_length: 60, choices: [],
})

describe('amounts', () => {
  it('are shown with both decimals and read back exactly', () => {
    expect(yuan(8_000_000)).toBe('80,000.00')
    expect(yuan(5)).toBe('0.05')
    for (const amount of [1, 10, 99, 100, 101, 1_234_567_890_123]) expect(fen(yuan(amount))).toBe(amount)
    expect(fen('0.29')).toBe(29)
    expect(fen('80000')).toBe(8_000_000)
  })

  it('refuse what is no amount', () => {
    for (const text of ['', '-1', '1.234', '1e5', '１００', '1 000', 'abc', '1234567890123']) expect(fen(text)).toBeNull()
  })
})

describe('values of a form', () => {
  it('leave empty fields out and send amounts in 分', () => {
    const fields = [field('name', 'name'), field('amount', 'amount'), field('memo', 'text'), field('id', 'id_number')]
    expect(valuesOf(fields, { name: ' 王小明 ', amount: '80000', memo: '', id: '11010519491231002x' })).toEqual({
      name: '王小明', amount: 8_000_000, id: '11010519491231002X',
    })
    expect(valuesOf(fields, { amount: 'much' })).toEqual({ amount: 0 })
  })
})
