import { ChatRoom } from '@shared/chat'
import { defineStore } from 'pinia'
import { watch } from 'vue'
import { useServer } from '../lib/server'
import { useConsole } from './console'

/** The chat of the teller's call. */
export const useChat = defineStore('chat', () => {
  const console_ = useConsole()
  const { http, socket } = useServer()
  const room = new ChatRoom(http, '/api/staff', 'teller', (handler) => socket.on('chat.message', handler))
  const follow = (): void => void room.follow(console_.call?.call_id ?? null).catch(() => undefined)
  watch(() => console_.call?.call_id, follow, { immediate: true })
  socket.link.on('resumed', () => void room.load().catch(() => undefined))
  return { room, state: room.state }
})
