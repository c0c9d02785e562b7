import { HttpClient } from '@shared/http'
import type { StaffEvents, StaffRequests } from '@shared/protocol'
import { openSocket, SocketManager } from '@shared/socket'

export type StaffSocket = SocketManager<StaffRequests, StaffEvents>

/** The two ways to the server. Stores ask for them here; tests put fakes in. */
export interface Server {
  http: HttpClient
  socket: StaffSocket
}

export interface ServerHooks {
  csrfToken: () => string | null
  onSessionEnded: (code: string) => void
}

const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS']
let current: Server | null = null

export function connectServer(hooks: ServerHooks): Server {
  const http = new HttpClient({
    headers: (method): Record<string, string> => {
      const token = hooks.csrfToken()
      return token !== null && !SAFE_METHODS.includes(method) ? { 'X-CSRF-Token': token } : {}
    },
    onUnauthorized: (error) => hooks.onSessionEnded(error.code),
  })
  const socket: StaffSocket = new SocketManager(openSocket('/staff'))
  socket.link.on('refused', (error) => {
    if (error.code.startsWith('auth.')) hooks.onSessionEnded(error.code)
  })
  return setServer({ http, socket })
}

export function setServer(server: Server): Server {
  current = server
  return server
}

export function useServer(): Server {
  if (!current) throw new Error('no server connected')
  return current
}
