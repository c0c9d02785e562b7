/** What travels between the pages and the server; the words of docs/protocol.md. */

export type Language = 'zh-CN' | 'en'
export type Party = 'customer' | 'teller'
export type CallState = 'queued' | 'offered' | 'accepted' | 'connected' | 'wrap_up' | 'closed'
export type EndReason =
  | 'customer_hung_up'
  | 'teller_hung_up'
  | 'customer_left_queue'
  | 'customer_lost'
  | 'teller_lost'
  | 'media_failed'
  | 'system_restart'

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

export type Role = 'teller' | 'expert' | 'supervisor' | 'inspector' | 'auditor' | 'admin'

export interface StaffProfile {
  id: string
  username: string
  display_name: string
  staff_number: string
  roles: Role[]
}

export interface SignedIn {
  staff: StaffProfile
  csrf_token: string
}

// ---- media, both namespaces -------------------------------------------------------------------

export interface MediaOffer {
  peer_id: string
  sdp_offer: string
  ice_servers: RTCIceServer[]
}

export interface MediaAnswer {
  peer_id: string
  sdp_answer: string
}

export type SeatState = 'connected' | 'degraded' | 'lost'

export interface MediaNotice {
  seat: Party
  state: SeatState
}

export interface Caption {
  party: Party
  start_s: number
  end_s: number
  text: string
  final: boolean
}

// ---- /customer --------------------------------------------------------------------------------

export interface CustomerCall {
  call_id: string
  number: number
  state: CallState
  position: number | null
  wait_low_s: number | null
  wait_high_s: number | null
  teller: { display_name: string; staff_number: string } | null
  accepted_at: string | null
  connected_at: string | null
  ended_at: string | null
  end_reason: EndReason | null
  recording_ok: boolean
}

type Empty = Record<string, never>

/** Every message a customer may send: name → [payload, answer]. */
export interface CustomerRequests {
  'queue.join': [Empty, { call: CustomerCall }]
  'queue.leave': [Empty, Empty]
  'call.snapshot': [Empty, { call: CustomerCall | null }]
  'media.join': [Empty, MediaOffer]
  'media.answer': [MediaAnswer, Empty]
  'call.hangup': [Empty, Empty]
  'captions.set': [{ on: boolean }, Empty]
}

/** Every message a customer may receive. */
export interface CustomerEvents {
  'call.state': CustomerCall
  caption: Caption
  'media.notice': MediaNotice
}

// ---- /staff -----------------------------------------------------------------------------------

export type PresenceState = 'offline' | 'ready' | 'offered' | 'in_call' | 'wrap_up' | 'break'
export type Disposition = 'resolved' | 'follow_up' | 'refused' | 'dropped'

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

export interface OfferEnd {
  offer_id: string
  outcome: 'timeout' | 'declined' | 'withdrawn' | 'accepted'
}

export interface TellerCall {
  call_id: string
  number: number
  business_code: string
  business_name_zh: string
  business_name_en: string
  language: Language
  state: CallState
  queued_at: string
  accepted_at: string | null
  connected_at: string | null
  ended_at: string | null
  end_reason: EndReason | null
  recording_ok: boolean
  recording_state: string | null
  transcription: 'live' | 'final_only' | 'none'
}

export interface ScriptNode {
  rule_id: string
  label_zh: string
  label_en: string
  required: boolean
  done: boolean
  at_s: number | null
}

export interface ScriptWarning {
  rule_id: string
  kind: 'forbidden' | 'danger'
  severity: 'info' | 'minor' | 'major' | 'fatal'
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

export interface Alarm {
  id: string
  kind: string
  call_id: string | null
  message: string
  raised_at: string
  cleared_at?: string | null
}

/** Every message staff may send: name → [payload, answer]. */
export interface StaffRequests {
  'presence.set': [{ state: 'ready' | 'break' | 'offline'; reason: string }, { presence: Presence }]
  'presence.get': [Empty, { presence: Presence; offer: Offer | null; call: TellerCall | null }]
  'offer.accept': [{ offer_id: string }, { call: TellerCall }]
  'offer.decline': [{ offer_id: string }, Empty]
  'media.join': [{ call_id: string }, MediaOffer]
  'media.answer': [MediaAnswer & { call_id: string }, Empty]
  'call.hangup': [{ call_id: string }, Empty]
  'call.wrapup': [{ call_id: string; disposition: Disposition; note: string }, { presence: Presence }]
}

/** Every message staff may receive. */
export interface StaffEvents {
  presence: Presence
  'offer.ring': Offer
  'offer.end': OfferEnd
  'call.state': TellerCall
  caption: Caption & { call_id: string }
  'script.state': ScriptState
  'media.notice': MediaNotice & { call_id: string }
  alarm: Alarm
}
