import { useI18n } from 'vue-i18n'
import { parseFlag } from '../lib/flags'

/** Names of rules and flags where the server sends ids alone. */
export function useRules() {
  const { t, te } = useI18n()
  const ruleName = (rule_id: string): string => (te(`rule.${rule_id}`) ? t(`rule.${rule_id}`) : rule_id)

  function flagName(flag: string): string {
    const parsed = parseFlag(flag)
    return parsed ? `${t(`qa.flagKind.${parsed.kind}`)} ${ruleName(parsed.rule_id)}` : flag
  }
  return { ruleName, flagName }
}
