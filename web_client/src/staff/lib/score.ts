import type { Answers, FormItem, QaForm } from './wire'

/** The inspector's choice for one item: its share of the weight, or null when it does not apply. */
export type Choice = number | null
export type Choices = Record<string, Choice>
export type Comments = Record<string, string>

export interface Total {
  score: number
  max: number
  fatal: boolean
  /** Of the items that are asked. */
  answered: number
  items: number
}

export function itemsOf(form: QaForm): FormItem[] {
  return form.sections.flatMap((section) => section.items)
}

export function choicesOf(answers: Answers | null | undefined): Choices {
  const choices: Choices = {}
  for (const [id, answer] of Object.entries(answers ?? {})) choices[id] = answer.fraction
  return choices
}

export function commentsOf(answers: Answers | null | undefined): Comments {
  const entries = Object.entries(answers ?? {}).filter(([, answer]) => answer.comment)
  return Object.fromEntries(entries.map(([id, answer]) => [id, answer.comment ?? '']))
}

export function answersOf(choices: Choices, comments: Comments = {}): Answers {
  return Object.fromEntries(
    Object.entries(choices).map(([id, fraction]) => [id, comments[id] ? { fraction, comment: comments[id] } : { fraction }]),
  )
}

/** Whether an item is asked, given the answers to those before it (the server leaves it out otherwise). */
export function isAsked(form: QaForm, item: FormItem, choices: Choices): boolean {
  if (!item.when) return true
  const before = itemsOf(form).find((each) => each.id === item.when?.item)
  if (!before) return true
  const choice = isAsked(form, before, choices) ? choices[before.id] : null
  switch (item.when.answered) {
    case 'not_applicable':
      return choice === null
    case 'full':
      return choice === 1
    case 'zero':
      return choice === 0
    default:
      return typeof choice === 'number' && choice < 1
  }
}

export function owesComment(item: FormItem, choice: Choice | undefined): boolean {
  if (item.comment === 'always') return true
  return item.comment === 'deduction' && typeof choice === 'number' && choice < 1 && !item.bonus
}

/**
 * Points reached, as the server computes them (`qa.scoring.score`; both run the cases of tests/data/score_vectors.json):
 * items that do not apply or are not asked leave the denominator, with nothing to judge the score is full, a fatal item
 * that is not fully met takes its section or everything, a bonus adds up to the maximum.
 */
export function totalOf(form: QaForm, choices: Choices, max = 100): Total {
  let reached = 0
  let weights = 0
  let bonus = 0
  let fatal = false
  let answered = 0
  let items = 0
  for (const section of form.sections) {
    let here = 0
    let lost = false
    for (const item of section.items) {
      if (!isAsked(form, item, choices)) continue
      items += 1
      const choice = choices[item.id]
      if (choice === undefined) continue
      answered += 1
      if (choice === null) continue
      if (item.bonus) {
        bonus += item.weight * choice
        continue
      }
      here += item.weight * choice
      weights += item.weight
      if (item.fatal && choice < 1) {
        if (item.fatal_scope === 'section') lost = true
        else fatal = true
      }
    }
    reached += lost ? 0 : here
  }
  // Half up at two decimals, like the server's Decimal; the epsilon undoes binary fractions just below a half.
  const share = weights === 0 ? max : Math.round((reached / weights) * max * 100 + 1e-7) / 100
  const score = fatal ? 0 : Math.round(Math.min(max, share + bonus) * 100 + 1e-7) / 100
  return { score, max, fatal, answered, items }
}
