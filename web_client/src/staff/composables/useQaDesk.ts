import { useEventListener, useIntervalFn } from '@vueuse/core'
import { computed, ref, watch, type Ref } from 'vue'
import { neighbour } from '../lib/segments'
import type { Track } from '../lib/syncPlayer'
import type { Party, QaFinding } from '../lib/wire'
import { useQaCall } from '../stores/qaCall'
import { useShortcuts } from './useShortcuts'
import { useSyncPlayer } from './useSyncPlayer'

type Picture = Party | 'screen'
type Videos = Record<Picture, Ref<HTMLVideoElement | null>>
const REFRESH_MS = 4000
export const PARTIES = ['customer', 'teller'] as const

/** The inspector's player over both files and a shared screen: keys, findings and the loading of a call. */
export function useQaDesk(callId: () => string, videos: Videos) {
  const qa = useQaCall()
  const player = useSyncPlayer()
  const selected = ref<string | null>(null)
  const broken = ref<Partial<Record<Picture, boolean>>>({})
  const fileOf = (picture: Picture) =>
    qa.detail?.files.find((file) => (picture === 'screen' ? file.track === 'screen' : file.track === 'main' && file.party === picture)) ?? null
  /** A screen is shared at this moment of the call. */
  const sharing = computed(() =>
    (fileOf('screen')?.spans ?? []).some((span) => span.from_s <= player.position.value && player.position.value <= span.to_s),
  )
  const playable = computed(() => PARTIES.some((party) => fileOf(party) !== null && !broken.value[party]))
  const timed = computed(() => qa.findings.filter((finding) => finding.at_s !== null))

  function attach(): void {
    const tracks: Track[] = []
    for (const picture of [...PARTIES, 'screen'] as const) {
      const file = fileOf(picture)
      const media = videos[picture].value
      if (file && media && !broken.value[picture]) tracks.push({ media, offset_s: file.offset_s, duration_s: file.duration_s })
    }
    player.attach(tracks, qa.duration_s)
  }

  function pickFinding(finding: QaFinding): void {
    selected.value = finding.id
    if (finding.at_s !== null) player.seek(finding.at_s)
  }

  function step(direction: 1 | -1): void {
    const at = timed.value.findIndex((finding) => finding.id === selected.value)
    const times = timed.value.map((finding) => finding.at_s!)
    const next = at >= 0 ? at + direction : neighbour(times, player.position.value, direction)
    const finding = timed.value[next]
    if (finding) pickFinding(finding)
  }

  watch(
    () => [videos.customer.value, videos.teller.value, videos.screen.value, qa.detail?.files.map((file) => file.file_id).join(), broken.value],
    attach,
    { flush: 'post' },
  )
  watch(
    callId,
    (call_id) => {
      selected.value = null
      broken.value = {}
      player.seek(0)
      void qa.load(call_id)
    },
    { immediate: true },
  )
  useIntervalFn(() => {
    if (qa.processing && document.visibilityState === 'visible') void qa.refresh()
  }, REFRESH_MS)
  useEventListener(window, 'beforeunload', (event: BeforeUnloadEvent) => {
    if (qa.unsaved) event.preventDefault()
  })
  useShortcuts(() => ({
    ' ': () => playable.value && player.toggle(),
    ArrowLeft: () => player.skip(-5),
    ArrowRight: () => player.skip(5),
    ArrowUp: () => player.stepRate(1),
    ArrowDown: () => player.stepRate(-1),
    j: () => step(-1),
    k: () => step(1),
  }))

  return { qa, player, selected, broken, playable, sharing, fileOf, pickFinding }
}
