import { useEventListener, useIntervalFn, useLocalStorage } from '@vueuse/core'
import { computed, ref, watch, type Ref } from 'vue'
import { neighbour } from '../lib/segments'
import { JUMP_FROM_S, pauseEnd, stretches } from '../lib/silence'
import type { Track } from '../lib/syncPlayer'
import type { Party, QaFinding } from '../lib/wire'
import { useQaCall, type FindingVerdict } from '../stores/qaCall'
import { useShortcuts } from './useShortcuts'
import { useSyncPlayer } from './useSyncPlayer'

type Picture = Party | 'screen'
type Videos = Record<Picture, Ref<HTMLVideoElement | null>>
const REFRESH_MS = 4000
/** A finding is heard from a little before it. */
const RUN_UP_S = 1
export const PARTIES = ['customer', 'teller'] as const

/** The inspector's player over both files and a shared screen: keys, findings and the loading of a call. */
export function useQaDesk(callId: () => string, videos: Videos) {
  const qa = useQaCall()
  const player = useSyncPlayer()
  const selected = ref<string | null>(null)
  const skipping = useLocalStorage('aircounter.qa.skip', true)
  const broken = ref<Partial<Record<Picture, boolean>>>({})
  const fileOf = (picture: Picture) =>
    qa.detail?.files.find((file) => (picture === 'screen' ? file.track === 'screen' : file.track === 'main' && file.party === picture)) ?? null
  /** A screen is shared at this moment of the call. */
  const sharing = computed(() =>
    (fileOf('screen')?.spans ?? []).some((span) => span.from_s <= player.position.value && player.position.value <= span.to_s),
  )
  const playable = computed(() => PARTIES.some((party) => fileOf(party) !== null && !broken.value[party]))
  const talk = computed(() => stretches(qa.detail?.segments ?? []))

  /** Links name the second they are about: `?at=12.5`. */
  function startAt(): number {
    const at = Number(new URLSearchParams(window.location.search).get('at'))
    return Number.isFinite(at) && at > RUN_UP_S ? at - RUN_UP_S : 0
  }

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
    if (finding.at_s !== null) player.seek(Math.max(0, finding.at_s - RUN_UP_S))
  }

  function step(direction: 1 | -1): void {
    const every = qa.findings
    const at = every.findIndex((finding) => finding.id === selected.value)
    const times = every.map((finding) => finding.at_s ?? -1)
    const fresh = at < 0 && direction === 1 && player.position.value < RUN_UP_S
    const next = fresh ? 0 : at >= 0 ? at + direction : neighbour(times, player.position.value, direction)
    const finding = every[next]
    if (finding) pickFinding(finding)
  }

  /** One key: the verdict on the chosen finding, then on to the next one without a verdict. */
  function judge(verdict: FindingVerdict): void {
    const finding = qa.findings.find((each) => each.id === selected.value)
    if (!finding || !qa.editable) return
    const taken = finding.verdict === verdict
    void qa.judge(finding.id, verdict)
    if (!taken) step(1)
  }

  watch(
    () => [videos.customer.value, videos.teller.value, videos.screen.value, qa.detail?.files.map((file) => file.file_id).join(), broken.value],
    attach,
    { flush: 'post' },
  )
  watch(player.position, (position) => {
    const end = skipping.value && player.state.value === 'playing' ? pauseEnd(talk.value, position, qa.duration_s) : null
    if (end !== null && end - position > JUMP_FROM_S) player.seek(end)
    else player.rush(end !== null)
  })
  watch(
    callId,
    (call_id) => {
      selected.value = null
      broken.value = {}
      player.seek(startAt())
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
    c: () => judge('confirmed'),
    x: () => judge('rejected'),
    q: () => (skipping.value = !skipping.value),
  }))

  return { qa, player, selected, skipping, broken, playable, sharing, fileOf, pickFinding, judge }
}
