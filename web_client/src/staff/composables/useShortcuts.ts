import { useEventListener } from '@vueuse/core'

/** Key as in KeyboardEvent.key, letters in lower case; `mod+s` means Ctrl or ⌘. */
export type Shortcuts = Record<string, (event: KeyboardEvent) => void>

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  return target.isContentEditable || ['INPUT', 'TEXTAREA', 'SELECT'].includes(target.tagName)
}

/** Enter and Space belong to a focused button or link. */
function isPressing(event: KeyboardEvent): boolean {
  const target = event.target
  return (
    (event.key === 'Enter' || event.key === ' ') &&
    target instanceof HTMLElement &&
    target.closest('button, a[href], [role="button"], [role="option"]') !== null
  )
}

export function keyOf(event: KeyboardEvent): string {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key
  return event.ctrlKey || event.metaKey ? `mod+${key}` : key
}

/** Page-wide shortcuts that keep quiet while somebody types, while a dialog is open and while an input method composes. */
export function useShortcuts(shortcuts: () => Shortcuts): void {
  useEventListener(document, 'keydown', (event: KeyboardEvent) => {
    if (event.defaultPrevented || event.isComposing || event.altKey) return
    const key = keyOf(event)
    const action = shortcuts()[key]
    if (!action || (event.repeat && !event.key.startsWith('Arrow'))) return
    if (!key.startsWith('mod+') && (isTyping(event.target) || isPressing(event))) return
    if (document.querySelector('dialog[open]')) return
    event.preventDefault()
    action(event)
  })
}
