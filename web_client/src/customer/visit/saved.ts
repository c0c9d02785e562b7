import type { Business } from '@shared/protocol'

/** What a reload needs to find its way back; lives as long as the tab. */
export interface SavedVisit {
  token: string
  business: Business
  joined: boolean
  /** A teller was there: the way ends with the rating. */
  talked: boolean
}

const KEY = 'aircounter.visit'

export function loadVisit(storage: Storage = sessionStorage): SavedVisit | null {
  try {
    const saved = JSON.parse(storage.getItem(KEY) ?? 'null') as SavedVisit | null
    return saved && typeof saved.token === 'string' && typeof saved.business?.code === 'string' ? saved : null
  } catch {
    return null // not ours, or written by another version: start afresh
  }
}

export function saveVisit(visit: SavedVisit, storage: Storage = sessionStorage): void {
  storage.setItem(KEY, JSON.stringify(visit))
}

export function clearVisit(storage: Storage = sessionStorage): void {
  storage.removeItem(KEY)
}
