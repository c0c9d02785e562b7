/** The words of the staff pages: the server's, generated into src/gen, under the names used here. */
import type { EvaluationView, FindingView, TellerProfile, TellerQuality } from '../../gen/protocol'
import type { Alarm, Caption as AnyCaption, Disposition, MediaNotice as AnyNotice } from '@shared/protocol'

export type {
  Alarm,
  Awaits,
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
export type {
  EnrolmentView as Enrolment,
  EvaluationView,
  FailedJob,
  FileView as QaFile,
  FindingView as QaFinding,
  FormItemView as FormItem,
  FormSectionView as FormSection,
  FormView as QaForm,
  Colleague,
  Colleagues,
  Guest,
  GuestName,
  HandoverNote,
  GapView as Gap,
  CompanyView as Company,
  HoldView as Hold,
  OwnAccountView as OwnAccount,
  QaCallDetail,
  QaCallPage,
  QaCallRow,
  RecordingView as QaRecording,
  SegmentView as QaSegment,
} from '../../gen/protocol'

export type Caption = AnyCaption & { call_id: string }
export type MediaNotice = AnyNotice & { call_id: string }
export type MediaQuality = TellerQuality
export type { TellerProfile }
export type AlarmRow = Alarm & { job?: { event_id: string; handler: string } | null; lasts?: boolean }
export type FindingKind = FindingView['kind']
export type Answers = EvaluationView['answers']

/** What a teller may choose; the other states follow from calls. */
export type ChosenPresence = 'ready' | 'break' | 'offline'
export const DISPOSITIONS: readonly Disposition[] = ['resolved', 'follow_up', 'refused', 'dropped']
