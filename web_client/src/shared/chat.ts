import { reactive } from 'vue'
import type { Off } from './emitter'
import { ApiError, errorCode } from './errors'
import type { HttpClient } from './http'
import type { ChatMessage } from './protocol'

/** A message on its way or one that did not get through. */
export interface Unsent {
  client_id: string
  text: string
  image: Blob | null
  failed: string | null
}

export interface ChatState {
  messages: ChatMessage[]
  unsent: Unsent[]
  /** Addresses of pictures that were fetched, by message. */
  pictures: Record<string, string>
  unread: number
  loaded: boolean
}

const LONGEST_SIDE_PX = 1600
const MAX_IMAGE_B = 240 * 1024

/** The chat of one call, for either side: the list the server has, and what is still on its way. */
export class ChatRoom {
  readonly state = reactive<ChatState>({ messages: [], unsent: [], pictures: {}, unread: 0, loaded: false })
  private call_id: string | null = null
  private open = false
  private loading = false
  private readonly off: Off

  constructor(
    private readonly http: HttpClient,
    /** `/api/visit` or `/api/staff`. */
    private readonly base: string,
    private readonly mine: ChatMessage['party'],
    listen: (handler: (message: ChatMessage) => void) => Off,
  ) {
    this.off = listen((message) => this.received(message))
  }

  close(): void {
    this.off()
    this.forget()
  }

  /** Follow a call; another one than before starts with an empty list. Nothing happens when it is followed already. */
  async follow(call_id: string | null): Promise<void> {
    if (call_id !== this.call_id) {
      this.forget()
      this.call_id = call_id
    }
    if (!this.state.loaded && !this.loading) await this.load()
  }

  /** Ask for the whole list, e.g. after a break in which messages may have come. */
  async load(): Promise<void> {
    const { call_id } = this
    if (call_id === null) return
    this.loading = true
    const asked = this.http.get<ChatMessage[]>(`${this.base}/chat/${call_id}`)
    const messages = await asked.finally(() => (this.loading = false))
    if (call_id !== this.call_id) return
    for (const message of messages) this.received(message)
    this.state.loaded = true
  }

  /** The panel is seen, so nothing is unread. */
  setOpen(open: boolean): void {
    this.open = open
    if (open) this.state.unread = 0
  }

  async say(text: string): Promise<void> {
    const words = text.trim()
    if (words !== '') await this.send({ client_id: newId(), text: words, image: null, failed: null })
  }

  async show(file: Blob): Promise<void> {
    await this.send({ client_id: newId(), text: '', image: file, failed: null })
  }

  /** What did not get through, once more. */
  async again(unsent: Unsent): Promise<void> {
    this.state.unsent = this.state.unsent.filter((each) => each.client_id !== unsent.client_id)
    await this.send({ ...unsent, failed: null })
  }

  private async send(unsent: Unsent): Promise<void> {
    const { call_id } = this
    if (call_id === null) return
    this.state.unsent = [...this.state.unsent, unsent]
    try {
      const path = `${this.base}/chat/${call_id}`
      const message = unsent.image
        ? await this.http.upload<ChatMessage>(`${path}/images/${unsent.client_id}`, await shrink(unsent.image))
        : await this.http.post<ChatMessage>(path, { client_id: unsent.client_id, text: unsent.text })
      this.state.unsent = this.state.unsent.filter((each) => each.client_id !== unsent.client_id)
      this.received(message)
    } catch (error) {
      const failed = errorCode(error)
      this.state.unsent = this.state.unsent.map((each) => (each.client_id === unsent.client_id ? { ...each, failed } : each))
    }
  }

  private received(message: ChatMessage): void {
    if (message.call_id !== this.call_id || this.state.messages.some((each) => each.id === message.id)) return
    this.state.messages = [...this.state.messages, message].sort((a, b) => a.at.localeCompare(b.at) || a.id.localeCompare(b.id))
    if (message.party !== this.mine && !this.open) this.state.unread += 1
    if (message.kind === 'image') void this.fetchPicture(message.id)
  }

  private async fetchPicture(id: string): Promise<void> {
    const blob = await this.http.blob(`${this.base}/chat-images/${id}`).catch(() => null)
    if (blob) this.state.pictures[id] = URL.createObjectURL(blob)
  }

  private forget(): void {
    Object.values(this.state.pictures).forEach((address) => URL.revokeObjectURL(address))
    Object.assign(this.state, { messages: [], unsent: [], pictures: {}, unread: 0, loaded: false })
  }
}

function newId(): string {
  return crypto.randomUUID()
}

/** A phone's photo is ten times larger than what can be read on a screen. */
async function shrink(file: Blob): Promise<Blob> {
  const image = await createImageBitmap(file).catch(() => {
    throw new ApiError({ code: 'chat.not_an_image' })
  })
  let scale = Math.min(1, LONGEST_SIDE_PX / Math.max(image.width, image.height))
  if (scale === 1 && file.size <= MAX_IMAGE_B) return file
  for (let quality = 0.85; quality > 0.3; quality -= 0.15, scale *= 0.85) {
    const canvas = new OffscreenCanvas(Math.round(image.width * scale), Math.round(image.height * scale))
    canvas.getContext('2d')?.drawImage(image, 0, 0, canvas.width, canvas.height)
    const blob = await canvas.convertToBlob({ type: 'image/jpeg', quality })
    if (blob.size <= MAX_IMAGE_B) return blob
  }
  throw new ApiError({ code: 'chat.image_too_large' })
}
