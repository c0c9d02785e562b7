/** Opening hours as people type them: `09:00-12:00, 13:30-17:00`. Pure. */

export type Span = [string, string]

const SPAN = /^([01]?\d|2[0-4]):([0-5]\d)\s*[-–—~至]\s*([01]?\d|2[0-4]):([0-5]\d)$/

const clock = (hours: string, minutes: string): string => `${hours.padStart(2, '0')}:${minutes}`

/** The spans of a day in order; nothing typed is a day off; null when it cannot be read, is backwards or overlaps. */
export function readHours(text: string): Span[] | null {
  const parts = text.replace(/：/g, ':').split(/[,，;；、]/).map((part) => part.trim()).filter((part) => part !== '')
  const spans: Span[] = []
  for (const part of parts) {
    const found = SPAN.exec(part)
    if (!found) return null
    spans.push([clock(found[1]!, found[2]!), clock(found[3]!, found[4]!)])
  }
  spans.sort((one, other) => one[0].localeCompare(other[0]))
  const wrong = spans.some(([begin, end], place) => begin >= end || end > '24:00' || (place > 0 && begin < spans[place - 1]![1]))
  return wrong ? null : spans
}

/** The same the other way. */
export function writeHours(spans: readonly (readonly string[])[]): string {
  return spans.map((span) => `${span[0]}-${span[1]}`).join(', ')
}

/** Every day from one date to another, `YYYY-MM-DD`, at most a month; empty when they are the wrong way round. */
export function daysBetween(from: string, to: string): string[] {
  const days: string[] = []
  const last = Date.parse(`${to || from}T00:00:00Z`)
  for (let at = Date.parse(`${from}T00:00:00Z`); at <= last && days.length < 31; at += 86_400_000) days.push(new Date(at).toISOString().slice(0, 10))
  return days
}
