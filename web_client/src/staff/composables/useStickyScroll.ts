import { nextTick, ref, watch, type Ref } from 'vue'

/**
 * Keeps a growing list at its end, unless the reader has scrolled up; then it stays where it is and counts what is new.
 *
 * @param length Number of entries, watched; `tail` changes when the last entry grows.
 */
export function useStickyScroll(box: Ref<HTMLElement | null>, length: () => number, tail: () => string) {
  const atEnd = ref(true)
  const unseen = ref(0)

  function onScroll(): void {
    const el = box.value
    if (!el) return
    atEnd.value = el.scrollHeight - el.scrollTop - el.clientHeight < 24
    if (atEnd.value) unseen.value = 0
  }

  function toEnd(): void {
    const el = box.value
    if (!el) return
    el.scrollTop = el.scrollHeight
    atEnd.value = true
    unseen.value = 0
  }

  watch([length, tail], async ([count], [before]) => {
    if (!atEnd.value) {
      unseen.value += Math.max(0, count - before)
      return
    }
    await nextTick()
    toEnd()
  })

  return { atEnd, unseen, onScroll, toEnd }
}
