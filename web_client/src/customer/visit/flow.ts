import { reactive } from 'vue'
import { ApiError, errorCode } from '@shared/errors'
import type { Business, ConsentWording, CustomerCall, Language, MostPicture, QueueStatus } from '@shared/protocol'
import type { ConsentGiven, ServiceNotice } from '../../gen/protocol'
import type { Channel, CustomerApi } from '../api'
import type { DeviceCheck } from '../check/deviceCheck'
import type { CallRoom, DeclaredClass } from './callRoom'
import { BookingDesk, standing } from './booking'
import type { LeaveReason } from './desk'
import { clearVisit, loadVisit, saveVisit, type SavedVisit } from './saved'
import { endKind, stepOf, type EndKind, type Step } from './steps'

/** The door says no, and why. */
const NO_ROOM: readonly string[] = ['queue.closed', 'queue.full', 'queue.too_long']

export interface FlowState {
  step: Step
  businesses: Business[] | null
  business: Business | null
  wording: ConsentWording | null
  /** A request of the current step is on its way. */
  busy: boolean
  /** Code of what went wrong in the current step. */
  error: string | null
  end: EndKind | null
  rated: boolean
  /** Number of the call, for the goodbye. */
  number: number | null
  /** Number of the complaint that was sent from the goodbye. */
  complaint: number | null
  notice: ServiceNotice | null
  /** How the queue stands, when it takes nobody right now; null for whoever would rather come later. */
  status: QueueStatus | null
  /** What the customer says of themselves, for a place further ahead. */
  declared: DeclaredClass | null
  /** A consultation in writing is about to go on by video: devices and consent come first. */
  raising: boolean
}

export interface FlowContext {
  language: () => Language
  channel: Channel
  /** Business that a link or QR code asks for. */
  preselected: string | null
  /** Number of a booked time, or code of a callback, that a link brings along. */
  appointment?: string | null
  callback?: string | null
  /** Secret of a link of the bank's own app. */
  entry?: string | null
}

/** The customer's way from the link to the goodbye. Every method is one tap or one fact. */
export class VisitFlow {
  readonly state = reactive<FlowState>({
    step: 'choose',
    businesses: null,
    business: null,
    wording: null,
    busy: false,
    error: null,
    end: null,
    rated: false,
    number: null,
    complaint: null,
    notice: null,
    status: null,
    declared: null,
    raising: false,
  })
  readonly booking: BookingDesk
  private visit: SavedVisit | null = null
  /** Token of the visit that has just ended, so that its customer may still complain. */
  private leaving: string | null = null
  /** Opening the visit runs ahead of the consent, so that agreeing leads straight into the queue. */
  private opening: Promise<SavedVisit> | null = null

  constructor(
    private readonly api: CustomerApi,
    readonly room: CallRoom,
    readonly devices: DeviceCheck,
    private readonly context: FlowContext,
  ) {
    this.booking = new BookingDesk(api, context.language)
    room.events.on('call', (call) => this.follow(call))
    room.events.on('refused', (error) => this.onRefused(error))
    devices.events.on('replaced', (stream) => void room.replaceLocal(stream))
    room.events.on('gone', () => this.onGone())
  }

  /** Token for HTTP and socket; empty before a visit is open. */
  get token(): string {
    return this.visit?.token ?? this.leaving ?? ''
  }

  /** Begins, or goes on where a reload interrupted. */
  async start(): Promise<void> {
    const saved = loadVisit()
    if (saved?.joined) return this.restore(saved)
    await this.loadBusinesses()
    if (this.context.appointment) return this.arrive(this.context.appointment)
    const wanted = this.state.businesses?.find((each) => each.code === this.context.preselected)
    if (wanted) this.choose(wanted)
  }

  /** By the link of a booking: in at once when it is time, else the booking is shown. */
  private async arrive(number: string): Promise<void> {
    this.context.appointment = null
    await this.openBooking(number)
    const { appointment } = this.booking.state
    if (appointment && standing(appointment, Date.now()) === 'now') this.enterBooked()
  }

  async loadBusinesses(): Promise<void> {
    await this.attempt(async () => {
      this.state.businesses = await this.api.businesses()
    })
  }

  choose(business: Business): void {
    if (business.code !== this.state.business?.code) this.forgetVisit()
    this.state.business = business
    this.go('check')
    void this.devices.start()
    if (!this.promised) void this.lookAt(business)
  }

  /** Booked or called back: the place is there, whatever the queue looks like. */
  private get promised(): boolean {
    return Boolean(this.context.appointment ?? this.context.callback)
  }

  /** Nobody checks devices for a queue that takes nobody. */
  private async lookAt(business: Business): Promise<void> {
    const status = await this.api.queueStatus(business.code).catch(() => null)
    if (!status || (status.open && !status.full)) return
    if (this.state.business?.code === business.code && ['check', 'consent'].includes(this.state.step)) this.shut(status)
  }

  private shut(status: QueueStatus | null): void {
    this.state.status = status
    this.devices.release()
    this.go('closed')
  }

  /** Rather a booked time than the queue. */
  later(): void {
    this.shut(null)
  }

  async book(starts_at: string, phone: string): Promise<void> {
    const { business } = this.state
    if (business && (await this.booking.book(business.code, starts_at, phone))) this.go('booking')
  }

  /** The page of one's own booking; without a number it is asked for there. */
  async openBooking(number: string | null = null): Promise<void> {
    this.booking.forget()
    this.devices.release()
    this.go('booking')
    if (number) await this.booking.find(number)
  }

  /** The booked time has come: straight to the devices, the place in the queue is kept. */
  enterBooked(): void {
    const { appointment } = this.booking.state
    const business = this.state.businesses?.find((each) => each.code === appointment?.business_code)
    if (!appointment || !business) return
    this.context.appointment = appointment.code
    this.choose(business)
  }

  /** Leave the queue and be called back. */
  async callBack(phone: string): Promise<void> {
    await this.attempt(async () => {
      await this.api.callBack(phone)
      if (this.state.step === 'waiting') this.finish('callback')
    })
  }

  /** Devices are fine; the notice comes up while the visit is opened and the socket connects. */
  async checked(): Promise<void> {
    this.devices.hideLevel()
    if (this.room.state.call && !this.state.raising) return this.resumeCall()
    this.go('consent')
    await this.loadWording()
  }

  async loadWording(): Promise<void> {
    await this.attempt(async () => {
      const [wording] = await Promise.all([this.state.wording ?? this.api.recordingWording(), this.openVisit()])
      this.state.wording = wording
      this.room.connect()
      if (this.devices.stream.value) this.room.warmUp(this.devices.stream.value)
    })
  }

  async agree(): Promise<void> {
    await this.attempt(async () => {
      const stream = await this.devices.open(this.devices.state.video)
      if (!stream) return this.go('check')
      await this.consent(true)
      if (this.state.raising) return this.raised(stream)
      this.room.connect()
      if (this.visit) this.keep({ ...this.visit, joined: true })
      await this.room.join(stream, this.state.declared)
    })
  }

  /** No camera, no microphone: a teller answers in writing. Nothing is recorded, so there is nothing to agree to. */
  async write(): Promise<void> {
    this.devices.release()
    await this.attempt(async () => {
      await this.openVisit()
      this.room.connect()
      if (this.visit) this.keep({ ...this.visit, joined: true })
      await this.room.joinToWrite()
    })
  }

  /** From writing to video: first the devices, then the notice. */
  raise(): void {
    this.state.raising = true
    this.go('check')
    void this.devices.start()
  }

  private async raised(stream: MediaStream): Promise<void> {
    await this.room.goOnByVideo(stream)
    this.state.raising = false
    this.go('call')
  }

  /** Rather go on writing. */
  async keepWriting(): Promise<void> {
    if (this.state.raising) {
      this.state.raising = false
      this.devices.release()
      this.go('call')
    }
    await this.attempt(() => this.room.declineVideo())
  }

  /** Nothing is recorded; the refusal itself is stored when the server can be reached. */
  async refuse(): Promise<void> {
    await this.consent(false).catch(() => undefined)
    if (this.state.raising) return this.keepWriting()
    this.devices.release()
    this.room.close()
    this.forgetVisit()
    this.go('refused')
  }

  back(): void {
    if (this.state.raising && this.state.step === 'check') {
      void this.keepWriting()
    } else if (this.state.step === 'consent') {
      this.room.stopMedia()
      this.go('check')
      void this.devices.start()
    } else if (['check', 'refused', 'closed', 'booking'].includes(this.state.step)) {
      this.restart()
    }
  }

  async leaveQueue(reason: LeaveReason = 'customer_left_queue'): Promise<void> {
    await this.attempt(async () => {
      await this.room.leaveQueue(reason).catch((error: unknown) => {
        // Answered at the same moment: the call's state says so and leads on.
        if (errorCode(error) !== 'call.none') throw error
      })
      if (this.state.step === 'waiting') this.finish('left')
    })
  }

  async hangUp(): Promise<void> {
    await this.attempt(async () => {
      await this.room.hangUp().catch((error: unknown) => {
        // It ended at the same moment: the call's state says so and leads on.
        if (errorCode(error) !== 'call.none') throw error
      })
    })
  }

  consents(): Promise<ConsentGiven[]> {
    return this.api.consents()
  }

  async withdraw(consent: ConsentGiven): Promise<void> {
    await this.api.withdraw(consent.purpose, consent.wording_version)
  }

  async toggleCaptions(): Promise<void> {
    await this.attempt(() => this.room.setCaptions(!this.room.state.captionsOn))
  }

  /** Less picture, or again what the network carries, on the customer's tap. */
  async limitPicture(most: MostPicture): Promise<void> {
    await this.attempt(() => this.room.limitPicture(most))
  }

  /** Camera or microphone went away during the call: once more, on the customer's tap. */
  async reopenDevices(): Promise<void> {
    await this.devices.reopen()
  }

  async rate(stars: number, tags: string[], comment: string): Promise<void> {
    await this.attempt(async () => {
      await this.api.rate(stars, tags, comment).catch((error: unknown) => {
        // Rated before, e.g. in the answer that got lost: the goal is reached.
        if (errorCode(error) !== 'rating.exists') throw error
      })
      this.state.rated = true
      this.goodbye()
    })
  }

  goodbye(): void {
    this.leaving = this.visit?.token ?? this.leaving
    this.room.close()
    this.forgetVisit()
    this.go('goodbye')
  }

  /** Tell what went wrong; the number under which it is answered, or null when it could not be sent. */
  async complain(story: string): Promise<void> {
    await this.attempt(async () => {
      this.state.complaint = (await this.api.complain(story)).number
    })
  }

  /** What the house has to say to everybody before they choose; silence when it cannot be asked. */
  async loadNotice(): Promise<void> {
    this.state.notice = await this.api.serviceNotice().catch(() => null)
  }

  /** Back to the first page with nothing left of this visit. */
  restart(): void {
    this.leaving = null
    this.devices.release()
    this.room.close()
    this.forgetVisit()
    Object.assign(this.state, { business: null, declared: null, raising: false, end: null, rated: false, number: null, complaint: null, status: null })
    this.booking.forget()
    this.context.appointment = this.context.callback = this.context.entry = null
    this.go('choose')
    if (!this.state.businesses) void this.loadBusinesses()
  }

  /** After an end without a talk: once more for the same business. */
  again(): void {
    const business = this.state.business
    this.restart()
    if (business) this.choose(business)
  }

  private async restore(saved: SavedVisit): Promise<void> {
    this.visit = saved
    this.state.business = saved.business
    this.go('restoring')
    this.room.connect()
    await this.attempt(async () => {
      const call = await this.room.snapshot()
      if (!call) return saved.talked ? this.go('rating') : this.finish('lost')
      if (!['waiting', 'call'].includes(stepOf(call)) || call.channel === 'text') return
      const stream = await this.devices.open(true)
      if (stream) return this.room.startMedia(stream)
      // Without devices the call cannot go on; the check page says what to do.
      this.go('check')
      void this.devices.testNetwork()
    })
  }

  /** Goes on with a restored call after the devices were made to work on the check page. */
  private resumeCall(): void {
    const stream = this.devices.stream.value
    const call = this.room.state.call
    if (!stream || !call) return
    this.room.startMedia(stream)
    this.follow(call)
  }

  private follow(call: CustomerCall): void {
    const step = stepOf(call)
    this.state.number = call.number
    if (step === 'ended') return this.finish(endKind(call.end_reason))
    if (step === 'rating') this.devices.release()
    if (step !== 'waiting' && this.visit && !this.visit.talked) this.keep({ ...this.visit, talked: true })
    // On the check page a restored call waits for its devices.
    const held = this.state.step === 'check' && call.channel !== 'text' && !this.devices.stream.value && step !== 'rating'
    if (step !== 'call') this.state.raising = false
    if (step !== this.state.step && !held && !this.state.raising) this.go(step)
  }

  private finish(end: EndKind): void {
    this.state.end = end
    this.devices.release()
    this.room.close()
    this.forgetVisit()
    this.go('ended')
  }

  private onRefused(error: ApiError): void {
    if (['restoring', 'waiting', 'call'].includes(this.state.step)) return this.finish('expired')
    if (this.state.step !== 'consent') return
    // Read for longer than the token lives: the next tap opens a new visit.
    this.room.close()
    this.forgetVisit()
    this.state.error = error.code
  }

  private onGone(): void {
    if (!['waiting', 'call'].includes(this.state.step)) return
    if (!this.visit?.talked) return this.finish('lost')
    this.devices.release()
    this.room.stopMedia()
    this.go('rating')
  }

  private openVisit(): Promise<SavedVisit> {
    if (this.visit) return Promise.resolve(this.visit)
    this.opening ??= this.newVisit().finally(() => (this.opening = null))
    return this.opening
  }

  private async newVisit(): Promise<SavedVisit> {
    const business = this.state.business
    if (!business) throw new ApiError({ code: 'internal', message: 'no business chosen' })
    const { token } = await this.api.openVisit(business.code, this.context.language(), this.context.channel)
    const visit = this.keep({ token, business, joined: false, talked: false })
    if (this.context.appointment) await this.api.checkIn(this.context.appointment)
    if (this.context.callback) await this.api.comeBack(this.context.callback)
    const { entry, preselected } = this.context
    this.context.entry = null // it works once; who is told that it did not goes on without it
    if (entry && business.code === preselected) await this.api.claimEntry(entry)
    return visit
  }

  private async consent(granted: boolean): Promise<void> {
    const wording = this.state.wording
    if (!wording) throw new ApiError({ code: 'consent.required' })
    await this.openVisit()
    try {
      await this.api.giveRecordingConsent(wording.version, granted)
    } catch (error) {
      // Another text is in force now: it has to be read before it can be agreed to.
      if (errorCode(error) === 'consent.outdated') this.state.wording = await this.api.recordingWording()
      if (!(error instanceof ApiError) || error.status !== 401) throw error
      // Somebody read for longer than the token lives: a new visit, the same answer.
      this.room.close()
      this.forgetVisit()
      await this.openVisit()
      await this.api.giveRecordingConsent(wording.version, granted)
    }
  }

  private keep(visit: SavedVisit): SavedVisit {
    this.visit = visit
    saveVisit(visit)
    return visit
  }

  private forgetVisit(): void {
    this.visit = null
    clearVisit()
  }

  private go(step: Step): void {
    this.state.step = step
    this.state.error = null
  }

  private async attempt(work: () => Promise<unknown>): Promise<void> {
    if (this.state.busy) return
    this.state.busy = true
    this.state.error = null
    try {
      await work()
    } catch (error) {
      const code = errorCode(error)
      if (NO_ROOM.includes(code) && this.state.business) {
        this.shut(await this.api.queueStatus(this.state.business.code).catch(() => null))
      }
      this.state.error = code
    } finally {
      this.state.busy = false
    }
  }
}
