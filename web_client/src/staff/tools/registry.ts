import type { Component } from 'vue'

/**
 * Something the teller works with beside the running call, shown as a tab. `tools/<key>/tool.ts` is found by its being
 * there; the tab's name is the text `tool.<key>`.
 */
export interface CallTool {
  key: string
  /** Order of the tabs; the first one is open when a call begins. */
  position: number
  component: Component
  /** How many things wait to be looked at, shown at the tab. */
  waiting?: () => number
}

const found = import.meta.glob<{ default: CallTool }>('./*/tool.ts', { eager: true })

export const TOOLS: readonly CallTool[] = Object.values(found)
  .map((file) => file.default)
  .sort((one, other) => one.position - other.position)
