/** Times as people read them. */

function pad(value: number): string {
  return String(value).padStart(2, '0')
}

/** `75` → `1:15`, `3675` → `1:01:15`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds))
  const h = Math.floor(whole / 3600)
  const m = Math.floor((whole % 3600) / 60)
  const s = pad(whole % 60)
  return h > 0 ? `${h}:${pad(m)}:${s}` : `${m}:${s}`
}

/** The day at the bank, `2026-12-01`: its reports and deadlines count days there, wherever somebody looks at them. */
export function bankDay(at: Date = new Date()): string {
  return new Intl.DateTimeFormat('sv-SE', { timeZone: 'Asia/Shanghai' }).format(at)
}

/** Seconds since an ISO 8601 time; 0 when it lies ahead (clocks of two machines differ). */
export function secondsSince(iso: string, now_ms: number = Date.now()): number {
  return Math.max(0, (now_ms - Date.parse(iso)) / 1000)
}

export type WaitWords =
  | { key: 'soon' }
  | { key: 'minutes'; minutes: number }
  | { key: 'range'; low: number; high: number }
  | { key: 'unknown' }

/** An estimate in whole minutes, never more exact than it is. */
export function waitWords(low_s: number | null, high_s: number | null): WaitWords {
  if (low_s === null || high_s === null) return { key: 'unknown' }
  if (high_s <= 60) return { key: 'soon' }
  const low = Math.max(1, Math.round(low_s / 60))
  const high = Math.max(low, Math.ceil(high_s / 60))
  return low === high ? { key: 'minutes', minutes: high } : { key: 'range', low, high }
}
