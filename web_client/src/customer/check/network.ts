export type NetworkGrade = 'good' | 'fair' | 'weak' | 'down'

/** Round trips measured: the first one also opens the connection, so the median of a few counts. */
const SAMPLES = 3
/** Above, people begin to talk over each other (ITU-T G.114: 150 ms one way is fine, 400 ms is not). */
const GOOD_MS = 200
const FAIR_MS = 500

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN
}

export function grade(roundTrip_ms: number): NetworkGrade {
  if (roundTrip_ms <= GOOD_MS) return 'good'
  return roundTrip_ms <= FAIR_MS ? 'fair' : 'weak'
}

/** Grades the way to the server; `down` when it does not answer. */
export async function checkNetwork(roundTrip: () => Promise<number>): Promise<NetworkGrade> {
  try {
    const times: number[] = []
    for (let i = 0; i < SAMPLES; i += 1) times.push(await roundTrip())
    return grade(median(times))
  } catch {
    return 'down'
  }
}
