import { reactive } from 'vue'
import { errorCode } from '@shared/errors'
import type { Appointment, Language, Slot } from '@shared/protocol'
import type { EarlyDocumentView, EarlyPapers } from '../../gen/protocol'
import type { CustomerApi } from '../api'

export const NUMBER = /^\d{8}$/
/** A booked customer is let in ahead from a quarter of an hour before until half an hour after the time. */
const EARLY_MS = 15 * 60_000
const LATE_MS = 30 * 60_000

export type Standing = 'early' | 'now' | 'late' | 'over'

/** Whether a booked customer can come in now. */
export function standing(booked: Appointment, now: number): Standing {
  if (booked.state !== 'booked') return 'over'
  if (now < Date.parse(booked.starts_at) - EARLY_MS) return 'early'
  return now > Date.parse(booked.ends_at) + LATE_MS ? 'late' : 'now'
}

export interface BookingState {
  appointment: Appointment | null
  papers: EarlyPapers | null
  /** Free times of the business; null until they are known. */
  slots: Slot[] | null
  busy: boolean
  error: string | null
}

/** The customer's own booking: made, found by its number, moved, cancelled, with the documents handed in for it. */
export class BookingDesk {
  readonly state = reactive<BookingState>({ appointment: null, papers: null, slots: null, busy: false, error: null })

  constructor(
    private readonly api: CustomerApi,
    private readonly language: () => Language,
  ) {}

  forget(): void {
    Object.assign(this.state, { appointment: null, papers: null, slots: null, error: null })
  }

  async loadTimes(business_code: string): Promise<void> {
    this.state.slots = await this.api.slots(business_code).catch(() => [])
  }

  book(business_code: string, starts_at: string, phone: string): Promise<boolean> {
    return this.attempt(async () => {
      this.state.appointment = await this.api.book(business_code, starts_at, phone, this.language())
      await this.loadPapers()
    }, business_code)
  }

  find(number: string): Promise<boolean> {
    return this.attempt(async () => {
      this.state.appointment = await this.api.appointment(number)
      await this.loadPapers()
    })
  }

  move(starts_at: string): Promise<boolean> {
    const { code, business_code } = this.state.appointment!
    return this.attempt(async () => {
      this.state.appointment = await this.api.moveAppointment(code, starts_at)
    }, business_code)
  }

  cancel(): Promise<boolean> {
    const { code } = this.state.appointment!
    return this.attempt(async () => {
      this.state.appointment = await this.api.cancelAppointment(code)
    })
  }

  handIn(kind: string, file: File): Promise<boolean> {
    return this.attempt(async () => {
      await this.api.handIn(this.state.appointment!.code, kind, file)
      await this.loadPapers()
    })
  }

  takeBack(document: EarlyDocumentView): Promise<boolean> {
    return this.attempt(async () => {
      await this.api.takeBack(this.state.appointment!.code, document.id)
      await this.loadPapers()
    })
  }

  private async loadPapers(): Promise<void> {
    this.state.papers = await this.api.earlyPapers(this.state.appointment!.code).catch(() => null)
  }

  /** `times`: of which business the free times are to be asked for again when it failed. */
  private async attempt(work: () => Promise<void>, times: string | null = null): Promise<boolean> {
    if (this.state.busy) return false
    this.state.busy = true
    this.state.error = null
    try {
      await work()
      return true
    } catch (error) {
      this.state.error = errorCode(error)
      if (times) await this.loadTimes(times)
      return false
    } finally {
      this.state.busy = false
    }
  }
}
