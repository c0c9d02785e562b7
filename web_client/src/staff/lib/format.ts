/** How numbers and times are shown. Pure. */

/** A score without needless zeros: `87`, `87.5`. */
export function points(value: number): string {
  return String(Math.round(value * 100) / 100)
}

/** Local date and time, short. */
export function dateTime(iso: string, locale: string): string {
  return new Intl.DateTimeFormat(locale, {
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hour12: false,
  }).format(new Date(iso))
}

/** The day with its year: for what is kept over years. */
export function longDate(iso: string, locale: string): string {
  return new Intl.DateTimeFormat(locale, { year: 'numeric', month: '2-digit', day: '2-digit' }).format(new Date(iso))
}

/** Local time of day to the second. */
export function timeOfDay(iso: string, locale: string): string {
  return new Intl.DateTimeFormat(locale, { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false }).format(
    new Date(iso),
  )
}

/** Bytes for people: `3.4 MB`, `120 GB`. */
export function fileSize(bytes: number): string {
  if (bytes < 1e6) return `${Math.max(1, Math.round(bytes / 1e3))} kB`
  if (bytes < 1e9) return `${(bytes / 1e6).toFixed(1)} MB`
  return bytes < 1e12 ? `${Math.round(bytes / 1e8) / 10} GB` : `${Math.round(bytes / 1e11) / 10} TB`
}
