/** Payloads of the QA desk, as in docs/protocol.md; what both entries share lives in @shared/protocol. */
import type { Alarm, Caption as AnyCaption, Disposition, MediaNotice as AnyNotice, Party, Role } from '@shared/protocol'

export type {
  Alarm,
  Disposition,
  Offer,
  OfferEnd,
  Party,
  Presence,
  PresenceState,
  Role,
  ScriptNode,
  ScriptState,
  ScriptWarning,
  SeatState,
  SignedIn,
  StaffProfile,
  TellerCall,
} from '@shared/protocol'

export type Caption = AnyCaption & { call_id: string }
export type MediaNotice = AnyNotice & { call_id: string }
export type Severity = 'info' | 'minor' | 'major' | 'fatal'

/** What a teller may choose; the other states follow from calls. */
export type ChosenPresence = 'ready' | 'break' | 'offline'
export const DISPOSITIONS: readonly Disposition[] = ['resolved', 'follow_up', 'refused', 'dropped']
export const PAGE_ROLES: Record<'teller' | 'qa' | 'alarms', readonly Role[]> = {
  teller: ['teller'],
  qa: ['inspector'],
  alarms: ['supervisor', 'admin'],
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

/** Work that was given up; a person may ask for another try. */
export interface FailedJob {
  event_id: string
  handler: string
}

export type AlarmRow = Alarm & { job?: FailedJob | null }

export interface Gap {
  /** null: both sides. */
  party: Party | null
  from_s: number
  /** null: to the end. */
  to_s: number | null
  reason: string
}

export interface QaRecording {
  state: string
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
  disposition: string | null
  note: string | null
}
