import { onBeforeUnmount, onMounted } from 'vue'
import { useI18n } from 'vue-i18n'
import { playChime } from '../check/sound'

/** The teller is there: a soft sound, a buzz and the page's title, for people who looked away. */
export function useAnnounce(): void {
  const { t } = useI18n()
  onMounted(() => {
    document.title = `● ${t('call.title')}`
    navigator.vibrate?.(200)
    if (document.hidden) void playChime()
  })
  onBeforeUnmount(() => (document.title = t('app.name')))
}
