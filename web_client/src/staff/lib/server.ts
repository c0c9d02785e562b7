import { HttpClient } from '@shared/http'
import type { StaffEvents, StaffRequests } from '@shared/protocol'
import type { SignedIn } from './wire'
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

/** Refusals of a socket that another try does not change. */
const FOR_GOOD = ['auth.origin', 'auth.denied']
const AGAIN_MS = 1000
const SAFE_METHODS = ['GET', 'HEAD', 'OPTIONS']
let current: Server | null = null

export function connectServer(hooks: ServerHooks): Server {
  const http = new HttpClient({
    headers: (method): Record<string, string> => {
      const token = hooks.csrfToken()
      return token !== null && !SAFE_METHODS.includes(method) ? { 'X-CSRF-Token': token } : {}
    },
    onUnauthorized: (error) => hooks.onSessionEnded(error.code),
    session: hooks.csrfToken,
  })
  const socket: StaffSocket = new SocketManager(openSocket('/staff'))
  socket.link.on('refused', (error) => {
    if (error.code.startsWith('auth.') && !FOR_GOOD.includes(error.code)) void askAgain(http, socket)
  })
  return setServer({ http, socket })
}

/**
 * A socket that began before the sign-in is refused after it. Only the answer to a request of this session says whether
 * it is over; when it is not, the socket may come again.
 */
async function askAgain(http: HttpClient, socket: StaffSocket): Promise<void> {
  try {
    const { awaits } = await http.get<SignedIn>('/api/auth/me')
    if (!awaits) setTimeout(() => socket.state === 'refused' && socket.connect(), AGAIN_MS)
  } catch {
    // Over: `onUnauthorized` has said so. No answer: the page's own requests will tell.
  }
}

export function setServer(server: Server): Server {
  current = server
  return server
}

export function useServer(): Server {
  if (!current) throw new Error('no server connected')
  return current
}
