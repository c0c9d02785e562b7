/** What travels between the staff pages and the server. The words are those of docs/protocol.md. */

export type Role = 'teller' | 'expert' | 'supervisor' | 'inspector' | 'auditor' | 'admin'
export type Party = 'customer' | 'teller'

export interface StaffMember {
  id: string
  username: string
  display_name: string
  staff_number: string
  roles: Role[]
}

export interface SignedIn {
  staff: StaffMember
  csrf_token: string
}

export type PresenceState = 'offline' | 'ready' | 'offered' | 'in_call' | 'wrap_up' | 'break'
/** What a teller may choose; the other states follow from calls. */
export type ChosenPresence = 'ready' | 'break' | 'offline'

export interface Presence {
  state: PresenceState
  reason: string
  since: string
  call_id: string | null
  wrap_up_until: string | null
  missed_offers: number
}

export interface Offer {
  offer_id: string
  call_id: string
  business_code: string
  business_name_zh: string
  business_name_en: string
  waited_s: number
  expires_at: string
}

export type OfferOutcome = 'timeout' | 'declined' | 'withdrawn' | 'accepted'

export interface OfferEnd {
  offer_id: string
  outcome: OfferOutcome
}

export type CallState = 'queued' | 'offered' | 'accepted' | 'connected' | 'wrap_up' | 'closed'
export type TranscriptionMode = 'live' | 'final_only' | 'none'

export interface TellerCall {
  call_id: string
  number: number
  business_code: string
  business_name_zh: string
  business_name_en: string
  language: string
  state: CallState
  queued_at: string
  accepted_at: string | null
  connected_at: string | null
  ended_at: string | null
  end_reason: string | null
  recording_ok: boolean
  recording_state: string | null
  transcription: TranscriptionMode
}

export interface Caption {
  call_id: string
  party: Party
  start_s: number
  end_s: number
  text: string
  final: boolean
}

export interface ScriptNode {
  rule_id: string
  label_zh: string
  label_en: string
  required: boolean
  done: boolean
  at_s: number | null
}

export type Severity = 'info' | 'minor' | 'major' | 'fatal'

export interface ScriptWarning {
  rule_id: string
  kind: 'forbidden' | 'danger'
  severity: Severity
  label_zh: string
  label_en: string
  party: Party
  at_s: number
  phrase: string
  evidence: string
}

export interface ScriptState {
  call_id: string
  nodes: ScriptNode[]
  warnings: ScriptWarning[]
}

export type SeatState = 'connected' | 'degraded' | 'lost'

export interface MediaNotice {
  call_id: string
  seat: Party
  state: SeatState
}

export interface Alarm {
  id: string
  kind: string
  call_id: string | null
  message: string
  raised_at: string
  cleared_at?: string | null
}

export type Disposition = 'resolved' | 'follow_up' | 'refused' | 'dropped'
export const DISPOSITIONS: readonly Disposition[] = ['resolved', 'follow_up', 'refused', 'dropped']

export interface ConsoleSnapshot {
  presence: Presence
  offer: Offer | null
  call: TellerCall | null
}

/** Decimals travel as strings or numbers, see `toNumber` in score.ts. */
export type DecimalValue = number | string

export type EvaluationState = 'pending' | 'submitted'

export interface QaCallRow {
  call_id: string
  number: number
  business_code: string
  teller_name: string | null
  ended_at: string | null
  duration_s: number | null
  end_reason: string | null
  recording_state: string | null
  transcript_state: string | null
  auto_score: DecimalValue | null
  max_score: DecimalValue | null
  score: DecimalValue | null
  fatal: boolean | null
  evaluation_state: EvaluationState | null
  flags: string[]
}

export interface QaCallPage {
  items: QaCallRow[]
  total: number
  page: number
  page_size: number
}

export interface Gap {
  party: Party
  from_s: number
  to_s: number
  reason: string
}

export interface QaRecording {
  state: 'capturing' | 'captured' | 'finalized' | 'failed'
  error: string | null
  started_at: string
  gaps: Gap[]
  interrupted: boolean
}

export interface QaFile {
  file_id: string
  party: Party
  url: string
  duration_s: number
  offset_s: number
  video_codec: string | null
  audio_codec: string | null
  width: number | null
  height: number | null
  size_b: number
  sha256: string
  peaks: number[]
}

export interface QaSegment {
  id: string
  party: Party
  start_s: number
  end_s: number
  text: string
  kind?: 'live' | 'final'
}

export type FindingKind = 'present' | 'missing' | 'forbidden' | 'danger'

export interface QaFinding {
  id: string
  rule_id: string
  kind: FindingKind
  severity: Severity
  label_zh: string
  label_en: string
  party: Party | null
  at_s: number | null
  end_s: number | null
  score: number
  evidence: string
  phrase: string
}

export interface FormItem {
  id: string
  title_zh: string
  title_en: string
  weight: DecimalValue
  fatal: boolean
}

export interface FormSection {
  id: string
  title_zh: string
  title_en: string
  items: FormItem[]
}

export interface QaForm {
  version: string
  sections: FormSection[]
}

export interface Answer {
  fraction: DecimalValue | null
}

export type Answers = Record<string, Answer>

export interface EvaluationView {
  version: number
  state: EvaluationState
  auto_answers: Answers
  auto_score: DecimalValue
  auto_fatal: boolean
  max_score: DecimalValue
  answers: Answers
  score: DecimalValue | null
  fatal: boolean | null
  inspector_name: string | null
  comment: string
  submitted_at: string | null
}

export interface QaCallDetail extends QaCallRow {
  recording: QaRecording | null
  files: QaFile[]
  segments: QaSegment[]
  findings: QaFinding[]
  form: QaForm
  evaluation: EvaluationView | null
  rating: { stars: number; comment: string } | null
  disposition: Disposition | null
  note: string | null
}
