import type { ScriptState } from './wire'

type Warning = ScriptState['warnings'][number]

/** Newest first. A sentence that breaks one rule with several words is one warning. */
export function warningsOf(warnings: Warning[]): Warning[] {
  const seen = new Set<string>()
  return [...warnings]
    .sort((a, b) => (b.at_s ?? 0) - (a.at_s ?? 0))
    .filter(({ rule_id, party, evidence }) => {
      const key = JSON.stringify([rule_id, party, evidence])
      return !seen.has(key) && seen.add(key)
    })
}
