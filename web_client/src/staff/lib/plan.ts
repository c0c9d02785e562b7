import type { PlanBody } from '../../gen/protocol'

export const DIMENSIONS = ['teller', 'team', 'business', 'risk', 'score', 'flags', 'duration'] as const
export const VALUES: Partial<Record<(typeof DIMENSIONS)[number], readonly string[]>> = {
  risk: ['low', 'medium', 'high'],
  score: ['none', 'below_60', '60_to_79', '80_to_94', '95_up'],
  flags: ['flagged', 'clean'],
  duration: ['short', 'medium', 'long'],
}

/** A sensible new plan: every day 5 % of each teller's calls, at least one, and everything fatal. */
export function freshPlan(): Required<PlanBody> {
  return {
    period: 'day',
    strata: ['teller', 'risk'],
    percent: 5,
    rates: [],
    minimum: 1,
    rollover: 3,
    risk_weighted: true,
    all_fatal: true,
    businesses: [],
    teams: [],
    min_duration_s: 10,
    cap: 40,
    due_days: 3,
  }
}
