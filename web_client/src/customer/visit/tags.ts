/** Tags offered after a call; which ones depends on the stars. */
const GOOD = ['polite', 'clear', 'fast', 'smooth'] as const
const BAD = ['slow_wait', 'unclear', 'rude', 'bad_connection', 'not_solved'] as const

/** Stars from which on people are asked what went well. */
export const CONTENT_STARS = 4

export function tagsFor(stars: number): readonly string[] {
  return stars >= CONTENT_STARS ? GOOD : BAD
}
