import type { FindingKind } from './wire'

export interface Flag {
  kind: FindingKind
  rule_id: string
}

/** `missing:fee_notice` → its parts; null for a shape this page does not know. */
export function parseFlag(flag: string): Flag | null {
  const [kind, rule_id] = flag.split(':')
  const known: FindingKind[] = ['missing', 'forbidden', 'danger', 'complaint', 'present']
  if (!rule_id || !known.includes(kind as FindingKind)) return null
  return { kind: kind as FindingKind, rule_id }
}

export const FLAG_TONE = { missing: 'warn', forbidden: 'bad', danger: 'bad', complaint: 'warn', present: 'ok' } as const
