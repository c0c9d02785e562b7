/** The rules for new passwords, as server/identity/rules.py has them: shown while typing, decided by the server. */
export type Rule = 'too_short' | 'too_simple' | 'contains_name' | 'repeats'
export const RULES: readonly Rule[] = ['too_short', 'too_simple', 'contains_name', 'repeats']

const RUN = 4

export function brokenRules(password: string, names: readonly string[], minLength: number): Set<Rule> {
  const broken = new Set<Rule>()
  const chars = [...password]
  const folded = password.toLowerCase()
  if (chars.length < minLength) broken.add('too_short')
  const kinds = [/\p{Ll}/u, /\p{Lu}/u, /\p{Nd}/u, /[^\p{Ll}\p{Lu}\p{Nd}]/u].filter((kind) => kind.test(password)).length
  if (kinds < 3) broken.add('too_simple')
  if (names.some((name) => name !== '' && folded.includes(name.toLowerCase()))) broken.add('contains_name')
  if (hasRun(folded)) broken.add('repeats')
  return broken
}

function hasRun(text: string): boolean {
  const codes = [...text].map((char) => char.codePointAt(0) ?? 0)
  const steps = codes.slice(1).map((code, at) => code - (codes[at] ?? 0))
  return steps.some((step, at) => Math.abs(step) <= 1 && at + RUN - 1 <= steps.length && steps.slice(at, at + RUN - 1).every((each) => each === step))
}
