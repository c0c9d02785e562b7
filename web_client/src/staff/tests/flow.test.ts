import { describe, expect, it } from 'vitest'
import { differences, moved, newField, newStep, problemAt, problemsWithin, retype, type FlowStep } from '../lib/flow'

describe('a flow being edited', () => {
  it('names new steps and fields so that no two are alike', () => {
    const kind = { name: 'fee', doers: ['customer'], config: {} }
    const steps: FlowStep[] = []
    for (let n = 0; n < 3; n++) steps.push(newStep(kind, steps))
    expect(steps.map((step) => step.key)).toEqual(['fee', 'fee_2', 'fee_3'])
    expect(steps[0]!.doer).toBe('customer')
  })

  it('moves within bounds', () => {
    expect(moved(['a', 'b', 'c'], 0, 1)).toEqual(['b', 'a', 'c'])
    expect(moved(['a', 'b', 'c'], 2, 1)).toEqual(['a', 'b', 'c'])
    expect(moved(['a', 'b', 'c'], 0, -1)).toEqual(['a', 'b', 'c'])
  })

  it('loses what only the old type of a field had', () => {
    const field = newField([])
    retype(field, 'choice')
    expect(field.choices).toHaveLength(1)
    retype(field, 'id_number')
    expect([field.choices, field.max_length, field.same_as]).toEqual([[], 18, 'id_number'])
  })

  it('finds problems by their place', () => {
    const problems = [{ at: 'steps.1.key', problem: 'format', text: '' }, { at: 'steps.10', problem: 'type', text: '' }]
    expect(problemAt(problems, 'steps.1')).toBeNull()
    expect(problemAt(problems, 'steps.1.key')?.problem).toBe('format')
    expect([problemsWithin(problems, 'steps.1'), problemsWithin(problems, 'steps.10')]).toEqual([1, 1])
  })

  it('says what is otherwise, by key and not by place', () => {
    const before = { review: 1, steps: [{ key: 'form', title: 'A' }, { key: 'fee', title: 'B' }] }
    const after = { review: 2, steps: [{ key: 'fee', title: 'B' }, { key: 'sign', title: 'C' }] }
    expect(differences(before, after)).toEqual([
      { path: 'review', before: '1', after: '2' },
      { path: 'steps › form › key', before: 'form', after: '' },
      { path: 'steps › form › title', before: 'A', after: '' },
      { path: 'steps › sign › key', before: '', after: 'sign' },
      { path: 'steps › sign › title', before: '', after: 'C' },
    ])
    expect(differences(before, before)).toEqual([])
  })
})
