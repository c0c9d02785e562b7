import type { Answers, FormItem, QaForm } from './wire'

/** The inspector's choice for one item: its share of the weight, or null when it does not apply. */
export type Choice = number | null
export type Choices = Record<string, Choice>

export interface Total {
  score: number
  max: number
  fatal: boolean
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

export function answersOf(choices: Choices): Record<string, { fraction: Choice }> {
  return Object.fromEntries(Object.entries(choices).map(([id, fraction]) => [id, { fraction }]))
}

/**
 * Points reached, as the server computes them (`qa.scoring.score`): items that do not apply leave the denominator,
 * with nothing to judge the score is full, and a fatal item that is not fully met makes the whole evaluation zero.
 */
export function totalOf(form: QaForm, choices: Choices, max = 100): Total {
  let reached = 0
  let weights = 0
  let fatal = false
  let answered = 0
  const items = itemsOf(form)
  for (const item of items) {
    const choice = choices[item.id]
    if (choice === undefined) continue
    answered += 1
    if (choice === null) continue
    reached += item.weight * choice
    weights += item.weight
    if (item.fatal && choice < 1) fatal = true
  }
  const share = weights === 0 ? 1 : reached / weights
  // Half up at two decimals, like the server's Decimal; the epsilon undoes binary fractions just below a half.
  const score = fatal ? 0 : Math.round(share * max * 100 + 1e-7) / 100
  return { score, max, fatal, answered, items: items.length }
}
