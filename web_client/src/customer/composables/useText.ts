import { computed } from 'vue'
import { useI18n } from 'vue-i18n'

/** Fields that come in both languages, and errors in words. */
export function useText() {
  const { t, te, locale } = useI18n()
  const english = computed(() => locale.value === 'en')

  /** Takes `name_zh` or `name_en` of a row, whichever is read now. */
  function pick<N extends string>(row: Record<`${N}_zh` | `${N}_en`, string>, name: N): string {
    return english.value ? row[`${name}_en`] : row[`${name}_zh`]
  }

  function errorText(code: string): string {
    const key = `errors.${code.replaceAll('.', '_')}`
    return te(key, 'zh-CN') ? t(key) : t('errors.internal')
  }

  return { t, pick, errorText }
}
