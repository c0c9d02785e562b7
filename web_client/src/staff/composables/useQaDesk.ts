import { useEventListener, useIntervalFn } from '@vueuse/core'
import { computed, ref, watch, type Ref } from 'vue'
import { neighbour } from '../lib/segments'
import type { Track } from '../lib/syncPlayer'
import type { Party, QaFinding } from '../lib/wire'
import { useQaCall } from '../stores/qaCall'
import { useShortcuts } from './useShortcuts'
import { useSyncPlayer } from './useSyncPlayer'

type Videos = Record<Party, Ref<HTMLVideoElement | null>>
const REFRESH_MS = 4000
export const PARTIES = ['customer', 'teller'] as const

/** The inspector's player over both files: keys, findings and the loading of a call. */
export function useQaDesk(callId: () => string, videos: Videos) {
  const qa = useQaCall()
  const player = useSyncPlayer()
  const selected = ref<string | null>(null)
  const broken = ref<Partial<Record<Party, boolean>>>({})
  const fileOf = (party: Party) => qa.detail?.files.find((file) => file.party === party) ?? null
  const playable = computed(() => PARTIES.some((party) => fileOf(party) !== null && !broken.value[party]))
  const timed = computed(() => qa.findings.filter((finding) => finding.at_s !== null))

  function attach(): void {
    const tracks: Track[] = []
    for (const party of PARTIES) {
      const file = fileOf(party)
      const media = videos[party].value
      if (file && media && !broken.value[party]) tracks.push({ media, offset_s: file.offset_s, duration_s: file.duration_s })
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
    () => [videos.customer.value, videos.teller.value, qa.detail?.files.map((file) => file.file_id).join(), broken.value],
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

  return { qa, player, selected, broken, playable, fileOf, pickFinding }
}
