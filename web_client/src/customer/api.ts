import type { HttpClient } from '@shared/http'
import type { ConsentGiven, EarlyDocumentView, EarlyPapers, ServiceNotice } from '../gen/protocol'
import type { Appointment, Business, ConsentWording, Language, QueueStatus, Slot, VisitOpened } from '@shared/protocol'

export type Channel = 'web' | 'kiosk' | 'demo'

/** The customer's HTTP requests. */
export class CustomerApi {
  constructor(private readonly http: HttpClient) {}

  businesses(): Promise<Business[]> {
    return this.http.get('/api/businesses')
  }

  recordingWording(): Promise<ConsentWording> {
    return this.http.get('/api/consent-wordings/recording')
  }

  openVisit(business_code: string, language: Language, channel: Channel): Promise<VisitOpened> {
    return this.http.post('/api/visits', { business_code, channel, device: deviceClass(), language })
  }

  /** Comes by a link of the bank's own app, which says who is to be served as what. */
  claimEntry(token: string): Promise<unknown> {
    return this.http.post('/api/visit/entry', { token })
  }

  giveRecordingConsent(wording_version: string, granted: boolean): Promise<{ consent_id: string }> {
    return this.http.post('/api/visit/consents', { purpose: 'recording', wording_version, granted })
  }

  consents(): Promise<ConsentGiven[]> {
    return this.http.get('/api/visit/consents')
  }

  withdraw(purpose: ConsentGiven['purpose'], wording_version: string): Promise<{ consent_id: string }> {
    return this.http.post('/api/visit/consents', { purpose, wording_version, granted: false })
  }

  queueStatus(business_code: string): Promise<QueueStatus> {
    return this.http.get(`/api/queues/${business_code}`)
  }

  slots(business_code: string): Promise<Slot[]> {
    return this.http.get(`/api/queues/${business_code}/slots`)
  }

  book(business_code: string, starts_at: string, phone: string, language: Language): Promise<Appointment> {
    return this.http.post('/api/appointments', { business_code, starts_at, phone, language })
  }

  appointment(code: string): Promise<Appointment> {
    return this.http.get(`/api/appointments/${code}`)
  }

  moveAppointment(code: string, starts_at: string): Promise<Appointment> {
    return this.http.post(`/api/appointments/${code}/move`, { starts_at })
  }

  cancelAppointment(code: string): Promise<Appointment> {
    return this.http.post(`/api/appointments/${code}/cancel`)
  }

  earlyPapers(code: string): Promise<EarlyPapers> {
    return this.http.get(`/api/appointments/${code}/documents`)
  }

  handIn(code: string, kind: string, file: File): Promise<EarlyDocumentView> {
    return this.http.upload(`/api/appointments/${code}/documents/${kind}`, file)
  }

  takeBack(code: string, document_id: string): Promise<unknown> {
    return this.http.post(`/api/appointments/${code}/documents/${document_id}/remove`)
  }

  checkIn(code: string): Promise<Appointment> {
    return this.http.post('/api/visit/check-in', { code })
  }

  /** Leave the queue and be called back; the place is kept. */
  callBack(phone: string): Promise<unknown> {
    return this.http.post('/api/visit/callback', { phone })
  }

  /** Come back after having been called. */
  comeBack(code: string): Promise<unknown> {
    return this.http.post('/api/visit/return', { code })
  }

  rate(stars: number, tags: string[], comment: string): Promise<unknown> {
    return this.http.post('/api/visit/rating', { stars, tags, comment })
  }

  complain(story: string): Promise<{ number: number }> {
    return this.http.post('/api/visit/complaints', { story })
  }

  serviceNotice(): Promise<ServiceNotice> {
    return this.http.get('/api/service-notice')
  }

  /** One round trip to the server, ms. */
  async roundTrip(): Promise<number> {
    const start = performance.now()
    await this.http.get('/health')
    return performance.now() - start
  }
}

/** The kind of device, nothing that tells one person from another. */
export function deviceClass(userAgent: string = navigator.userAgent): string {
  if (/iPad|Tablet|Android(?!.*Mobile)/.test(userAgent)) return 'tablet'
  return /Mobi|iPhone/.test(userAgent) ? 'phone' : 'desktop'
}
