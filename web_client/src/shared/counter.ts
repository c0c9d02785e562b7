/** Words both sides of a counter share about business in a call. Details of a step are as its kind defines (docs/counter.md). */
import type { CaseView, StepView } from '../gen/protocol'

export type { BusinessChoice, CaseView, StepView } from '../gen/protocol'

export type FieldType = 'text' | 'name' | 'id_number' | 'phone' | 'account' | 'amount' | 'choice' | 'date' | 'email'
export type Value = string | number

export interface FieldSpec {
  key: string
  type: FieldType
  label_zh: string
  label_en: string
  hint_zh: string | null
  hint_en: string | null
  required: boolean
  max_length: number
  choices: { value: string; label_zh: string; label_en: string }[]
}

export interface FieldProblem {
  field: string
  problem: string
}

export interface FormDetails {
  fields: FieldSpec[]
  values: Record<string, Value>
  changes: { field: string; from: Value | null; to: Value | null; by: 'customer' | 'teller'; at: string }[]
  prefilled: boolean
  submitted: boolean
  limit_fen: number | null
}

export interface FeeDetails {
  amount_fen: number | null
  fee_fen: number
  text_zh: string
  text_en: string
}

export interface SummaryLine {
  type: FieldType
  label_zh: string
  label_en: string
  value: Value
  text_zh?: string
  text_en?: string
}

export interface ConfirmDetails {
  summary: SummaryLine[]
  digest: string
}

export interface ShownDocument {
  id: string
  code: string
  state: 'uploaded' | 'accepted' | 'returned'
  content_type: string
  pages: number
  size_b: number
  reason: string | null
  note: string
  at: string
}

export interface DocumentsDetails {
  /** The camera has been asked for a sharp picture. */
  sharp: boolean
  wanted: { code: string; name_zh: string; name_en: string; hint_zh: string; hint_en: string; required: boolean }[]
  documents: ShownDocument[]
}

export type PictureCode = 'id_front' | 'id_back' | 'face'

export interface Question {
  key: string
  question_zh: string
  question_en: string
  choices: string[]
}

export interface IdentityDetails {
  /** What the customer is asked before the face is looked at; null where no face is compared. */
  face_consent: { granted: boolean | null; wording_version: string; wording_zh: string; wording_en: string } | null
  sharp: boolean
  wanted: PictureCode[]
  documents: ShownDocument[]
  asked: { code: PictureCode; count: number } | null
  phone: { state: string | null; tries_left: number | null; verdict: string | null; needed: boolean; number: string | null }
  challenge: { needed: boolean; questions: Question[]; verdict: string | null; answered: boolean }
  outstanding: string[]
  /** Only for the teller. */
  fields?: Record<string, string>
  unsure?: string[]
  missing?: string[]
  checks?: { code: string; ok: boolean | null }[]
  registry?: { verdict?: string }
  face?: { verdict?: string; likeness?: number | null; engine?: string; tries?: number }
  verified?: boolean
}

/** The details of a step as its kind defines them. */
export function detailsOf<T>(step: StepView): T {
  return step.details as T
}

export function openStep(view: CaseView | null): StepView | null {
  return view?.steps.find((step) => step.state === 'active' || step.state === 'waiting') ?? null
}

/** Steps that count for the progress: what a case does not need is not shown. */
export function shownSteps(view: CaseView): StepView[] {
  return view.steps.filter((step) => step.state !== 'not_needed')
}

/** `123456` 分 → `1,234.56`. */
export function yuan(fen: number): string {
  const sign = fen < 0 ? '-' : ''
  const whole = Math.floor(Math.abs(fen) / 100)
  const rest = String(Math.abs(fen) % 100).padStart(2, '0')
  return `${sign}${String(whole).replace(/\B(?=(\d{3})+(?!\d))/g, ',')}.${rest}`
}

/** What people type as an amount in yuan → 分; null when it is none. Never through floating point. */
export function fen(text: string): number | null {
  const match = /^(\d{1,12})(?:\.(\d{1,2}))?$/.exec(text.trim().replaceAll(',', ''))
  if (!match) return null
  return Number(match[1]) * 100 + Number((match[2] ?? '').padEnd(2, '0'))
}

/** What a field holds, as text to edit. */
export function editable(field: FieldSpec, value: Value | undefined): string {
  if (value === undefined) return ''
  return field.type === 'amount' ? yuan(Number(value)).replaceAll(',', '') : String(value)
}

/** Texts of a form as values to send; an amount that is none is sent as 0 and refused with its field named. */
export function valuesOf(fields: readonly FieldSpec[], texts: Record<string, string>): Record<string, Value> {
  const values: Record<string, Value> = {}
  for (const field of fields) {
    const text = (texts[field.key] ?? '').trim()
    if (text === '') continue
    values[field.key] = field.type === 'amount' ? (fen(text) ?? 0) : field.type === 'id_number' ? text.toUpperCase() : text
  }
  return values
}
