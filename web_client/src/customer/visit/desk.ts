import { reactive } from 'vue'
import { ChatRoom } from '@shared/chat'
import { errorCode } from '@shared/errors'
import type { HttpClient } from '@shared/http'
import type { QueueNotice } from '@shared/protocol'
import type { CustomerSocket } from './callRoom'

export type LeaveReason = 'customer_left_queue' | 'waited_too_long' | 'wrong_business' | 'not_ready'
export const LEAVE_REASONS: readonly LeaveReason[] = ['waited_too_long', 'wrong_business', 'not_ready', 'customer_left_queue']

/** A mainland mobile number. */
export const PHONE = /^1[3-9]\d{9}$/

export interface DeskState {
  notices: QueueNotice[]
  asking: boolean
  error: string | null
}

/** What the counter offers besides the talk: notices, help and the chat. */
export class ServiceDesk {
  readonly state = reactive<DeskState>({ notices: [], asking: false, error: null })
  readonly chat: ChatRoom
  private business: string | null = null

  constructor(
    private readonly http: HttpClient,
    private readonly socket: CustomerSocket,
  ) {
    this.chat = new ChatRoom(http, '/api/visit', 'customer', (handler) => socket.on('chat.message', handler))
    socket.on('queue.notice', (notice) => this.told(notice))
  }

  /** What is worth knowing while waiting for a business. */
  async waitFor(business_code: string): Promise<void> {
    this.business = business_code
    this.state.notices = await this.http.get<QueueNotice[]>(`/api/queues/${business_code}/notices`).catch(() => [])
  }

  /** One tap: somebody hears of it, and the call moves ahead. */
  async help(): Promise<void> {
    this.state.asking = true
    this.state.error = null
    try {
      await this.socket.request('queue.help', {})
    } catch (error) {
      this.state.error = errorCode(error)
    } finally {
      this.state.asking = false
    }
  }

  private told(notice: QueueNotice & { withdrawn?: boolean }): void {
    const others = this.state.notices.filter((each) => each.id !== notice.id)
    const mine = notice.business_code === null || notice.business_code === this.business
    this.state.notices = notice.withdrawn || !mine ? others : [notice, ...others]
  }
}
