/** A business's flow while it is edited. Pure; the server has the last word on what is right. */
import type { FieldSpec, FieldType } from '@shared/counter'
import type { FlowProblem, StepKindView } from '../../gen/protocol'

export interface Paper { code: string; name_zh: string; name_en: string; hint_zh: string; hint_en: string; required: boolean }
export type FormField = FieldSpec & { same_as: 'name' | 'id_number' | null }
export type Config = Record<string, unknown>
export interface FlowStep {
  key: string
  kind: string
  doer: string
  title_zh: string
  title_en: string
  plain_zh: string
  plain_en: string
  identity: number
  config: Config
}
export interface Flow {
  code: string
  lane: 'standard' | 'simple'
  time_limit_s: number
  review: number
  fee_zh: string
  fee_en: string
  plain_zh: string
  plain_en: string
  limits: { amount_max_fen: number | null; day_total_check_fen: number | null }
  documents: Paper[]
  steps: FlowStep[]
}

export const FIELD_TYPES: readonly FieldType[] = ['text', 'name', 'id_number', 'phone', 'account', 'amount', 'choice', 'date', 'email']
/** How long a value of a type can be at most, as the form's own checks have it. */
const LENGTHS: Partial<Record<FieldType, number>> = { name: 50, id_number: 18, phone: 11, account: 19 }

function free(wanted: string, taken: readonly string[]): string {
  for (let number = 2; ; number++) {
    if (!taken.includes(wanted)) return wanted
    wanted = `${wanted.replace(/_\d+$/, '')}_${number}`
  }
}

export function newStep(kind: StepKindView, taken: readonly FlowStep[]): FlowStep {
  const texts = { title_zh: '', title_en: '', plain_zh: '', plain_en: '' }
  const config: Config = kind.name === 'form' ? { fields: [newField([])] } : {}
  return { key: free(kind.name, taken.map((step) => step.key)), kind: kind.name, doer: kind.doers[0] ?? 'teller', ...texts, identity: 0, config }
}

export function newField(taken: readonly FormField[]): FormField {
  const key = free('field', taken.map((field) => field.key))
  return { key, type: 'text', label_zh: '', label_en: '', hint_zh: null, hint_en: null, required: true, max_length: 60, choices: [], same_as: null }
}

export function newPaper(taken: readonly Paper[]): Paper {
  return { code: free('document', taken.map((paper) => paper.code)), name_zh: '', name_en: '', hint_zh: '', hint_en: '', required: true }
}

/** A field of another type keeps its words and loses what only the old type had. */
export function retype(field: FormField, type: FieldType): void {
  field.type = type
  field.max_length = LENGTHS[type] ?? 60
  field.choices = type === 'choice' ? [{ value: 'a', label_zh: '', label_en: '' }] : []
  field.same_as = type === 'name' || type === 'id_number' ? type : null
}

/** The fields of the first form: what other steps' settings may name. */
export function fieldsOf(flow: Flow): FormField[] {
  const form = flow.steps.find((step) => step.kind === 'form')
  return Array.isArray(form?.config.fields) ? (form.config.fields as FormField[]) : []
}

export function moved<T>(list: readonly T[], index: number, by: number): T[] {
  const to = index + by
  if (to < 0 || to >= list.length) return [...list]
  const next = [...list]
  next.splice(to, 0, ...next.splice(index, 1))
  return next
}

/** The problem at exactly this place. */
export function problemAt(problems: readonly FlowProblem[], at: string): FlowProblem | null {
  return problems.find((problem) => problem.at === at) ?? null
}

/** How many problems there are at this place and within it. */
export function problemsWithin(problems: readonly FlowProblem[], at: string): number {
  return problems.filter((problem) => problem.at === at || problem.at.startsWith(`${at}.`)).length
}

export interface Difference { path: string; before: string; after: string }

/** What is otherwise in two pieces of data, leaf by leaf. Lists of things with a key or code are compared by that. */
export function differences(before: unknown, after: unknown, path = ''): Difference[] {
  if (isTree(before) || isTree(after)) {
    const [one, other] = [branches(before), branches(after)]
    const names = [...new Set([...Object.keys(one), ...Object.keys(other)])]
    return names.flatMap((name) => differences(one[name], other[name], path ? `${path} › ${name}` : name))
  }
  return before === after ? [] : [{ path, before: leaf(before), after: leaf(after) }]
}

const isTree = (value: unknown): value is object => typeof value === 'object' && value !== null
const leaf = (value: unknown): string => (value === undefined || value === null || value === '' ? '' : String(value))

function branches(value: unknown): Record<string, unknown> {
  if (!isTree(value)) return {}
  if (!Array.isArray(value)) return value as Record<string, unknown>
  const names = value.map((item: unknown, index) => {
    const named = isTree(item) ? (item as { key?: string; code?: string; reason?: string }) : {}
    return named.key ?? named.code ?? named.reason ?? String(index + 1)
  })
  const unique = new Set(names).size === names.length
  return Object.fromEntries(value.map((item: unknown, index) => [unique ? names[index]! : String(index + 1), item]))
}
