import { ApiError } from '@shared/errors'
import { beforeEach, describe, expect, it } from 'vitest'
import { createStaffRouter } from '../router'
import { useAlarms } from '../stores/alarms'
import { useSession } from '../stores/session'
import type { AlarmRow, Role } from '../lib/wire'
import { fakeServer, type FakeHttp, type FakeSocket } from './fakes'

let http: FakeHttp
let socket: FakeSocket

const signedIn = (...roles: Role[]) => ({
  staff: { id: 's', username: 'u', display_name: 'U', staff_number: '1', roles },
  csrf_token: 'token',
})

beforeEach(() => {
  ;({ http, socket } = fakeServer())
})

describe('signing in', () => {
  it('leads each post to its own page', async () => {
    const homes: Record<string, string> = {}
    for (const role of ['teller', 'inspector', 'supervisor', 'admin', 'auditor', 'expert'] as const) {
      fakeServer().http.answers.set('POST /api/auth/login', signedIn(role))
      const session = useSession()
      await session.login('u', 'p')
      homes[role] = session.home
    }
    expect(homes).toEqual({ teller: '/teller', inspector: '/qa', supervisor: '/wallboard', admin: '/catalogue', auditor: '/evidence', expert: '/expert' })
  })

  it('keeps the reason of a refusal', async () => {
    http.answers.set('POST /api/auth/login', new ApiError({ code: 'auth.failed' }, 401))
    const session = useSession()
    expect(await session.login('u', 'p')).toBe(false)
    expect([session.failure?.code, session.left]).toEqual(['auth.failed', null])
  })

  it('ends everywhere when the server says so: no name, no token, no socket', async () => {
    http.answers.set('POST /api/auth/login', signedIn('teller'))
    const session = useSession()
    await session.login('u', 'p')
    socket.connect()
    session.leave('ended')
    expect([session.staff, session.csrfToken, session.left, socket.connected]).toEqual([null, null, 'ended', false])
  })
})

describe('guards', () => {
  async function at(path: string, ...roles: Role[]): Promise<string> {
    if (roles.length > 0) http.answers.set('GET /api/auth/me', signedIn(...roles))
    else http.answers.set('GET /api/auth/me', new ApiError({ code: 'auth.required' }, 401))
    const router = createStaffRouter()
    await router.push(path)
    return router.currentRoute.value.fullPath
  }

  it('send strangers to the login and remember where they wanted to go', async () => {
    expect(await at('/qa/call_1')).toBe('/login?next=/qa/call_1')
  })

  it('refuse a post that is not allowed', async () => {
    expect(await at('/teller', 'inspector')).toBe('/denied')
  })

  it('let through who may, and take others home', async () => {
    expect(await at('/alarms', 'admin')).toBe('/alarms')
  })

  it('take somebody signed in from the login to the own page', async () => {
    expect(await at('/login', 'inspector')).toBe('/qa')
  })
})

describe('alarms', () => {
  const alarm = (id: string): AlarmRow => ({
    id,
    kind: 'job.failed',
    call_id: null,
    message: 'm',
    raised_at: '2026-01-01T00:00:00Z',
    cleared_at: null,
    job: { event_id: 'e', handler: 'qa.check' },
  })

  it('arrive live, are cleared, and have failed work tried again', async () => {
    http.answers.set('GET /api/alarms', [alarm('a')])
    for (const id of ['a', 'b']) http.answers.set(`POST /api/alarms/${id}/clear`, {})
    http.answers.set('POST /api/jobs/retry', {})
    const alarms = useAlarms()
    await alarms.start()
    socket.say('alarm', alarm('b'))
    socket.say('alarm', alarm('b'))
    expect(alarms.open.map((each) => each.id)).toEqual(['b', 'a'])
    await alarms.clear('a')
    await alarms.retry(alarms.open[0]!)
    expect([alarms.open, alarms.cleared.length]).toEqual([[], 2])
    socket.say('alarm', alarm('c'))
    socket.say('alarm.cleared', { id: 'c', cleared_at: '2026-01-01T00:01:00Z' })
    expect([alarms.open, alarms.cleared.length]).toEqual([[], 3])
    alarms.stop()
    expect(http.sent).toContainEqual(['POST /api/jobs/retry', { event_id: 'e', handler: 'qa.check' }])
  })

  it('stay open when clearing fails', async () => {
    http.answers.set('GET /api/alarms', [alarm('a')])
    http.answers.set('POST /api/alarms/a/clear', new ApiError({ code: 'net.unreachable' }))
    const alarms = useAlarms()
    await alarms.start()
    await alarms.clear('a')
    expect([alarms.open.length, alarms.failure?.code]).toEqual([1, 'net.unreachable'])
  })
})
