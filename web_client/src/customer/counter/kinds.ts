import type { Component } from 'vue'

/** What the customer sees of a step, by its kind: `steps/<kind>.vue` is found by its being there. */
const found = import.meta.glob<{ default: Component }>('./steps/*.vue', { eager: true })

export function kindComponent(kind: string): Component | null {
  return found[`./steps/${kind}.vue`]?.default ?? null
}
