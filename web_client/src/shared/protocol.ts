/**
 * What travels between the pages and the server; the words of docs/protocol.md. Socket messages are generated from the
 * server's models, the few HTTP shapes of the customer and of signing in are written here.
 */
import type { AlarmNotice, CustomerCaption, CustomerMediaNotice, CustomerPicture, CustomerProfile, MediaJoined, Notice, Presence } from '../gen/protocol'

export type {
  AlarmNotice,
  AppointmentView as Appointment,
  ChatMessage,
  CustomerCall,
  CustomerEvents,
  CustomerRequests,
  Offer,
  OfferEnd,
  Presence,
  ScriptNode,
  ScriptState,
  ScriptWarning,
  SlotView as Slot,
  StaffEvents,
  StaffRequests,
  TellerCall,
  QueueStatusView as QueueStatus,
} from '../gen/protocol'

export type Language = 'zh-CN' | 'en'
export type Party = CustomerCaption['party']
export type Caption = CustomerCaption
export type MediaNotice = CustomerMediaNotice
/** What a party sends, and why. */
export type Picture = Pick<CustomerProfile, 'profile' | 'why' | 'shown'>
/** The most a party is to send, chosen by people. */
export type MostPicture = CustomerPicture['most']
export type SeatState = CustomerMediaNotice['state']
export type MediaOffer = MediaJoined
/** A line on the waiting page, as it is listed and as it is pushed. */
export type QueueNotice = Pick<Notice, 'id' | 'kind' | 'business_code' | 'text_zh' | 'text_en' | 'valid_until'>
export type PresenceState = Presence['state']
export type Disposition = 'resolved' | 'follow_up' | 'refused' | 'dropped'
export type EndReason =
  | 'customer_hung_up'
  | 'teller_hung_up'
  | 'customer_left_queue'
  | 'customer_lost'
  | 'teller_lost'
  | 'media_failed'
  | 'system_restart'
  | 'callback_asked'
  | 'appointment_made'
  | 'waited_too_long'
  | 'wrong_business'
  | 'not_ready'

export interface ErrorBody {
  code: string
  message: string
  retryable: boolean
  fields: Record<string, unknown>
}

// ---- HTTP -------------------------------------------------------------------------------------

export interface Business {
  code: string
  name_zh: string
  name_en: string
  hint_zh: string
  hint_en: string
  recording_required: boolean
}

export interface ConsentWording {
  purpose: string
  version: string
  text_zh: string
  text_en: string
}

export interface VisitOpened {
  visit_id: string
  token: string
}

export type Role = 'teller' | 'expert' | 'supervisor' | 'inspector' | 'qa_lead' | 'auditor' | 'admin'

export interface StaffProfile {
  id: string
  username: string
  display_name: string
  staff_number: string
  roles: Role[]
}

/** What has to be done before anything else works. */
export type Awaits = 'second_step' | 'password' | 'enrolment'

export interface SignedIn {
  staff: StaffProfile
  csrf_token: string
  awaits?: Awaits | null
  /** After so many seconds without anybody touching the page it signs out. */
  idle_s: number
}

/** An alarm as the list has it: `cleared_at` is null while it stands. */
export interface Alarm extends AlarmNotice {
  cleared_at?: string | null
}
