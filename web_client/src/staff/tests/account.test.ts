import { ApiError } from '@shared/errors'
import { beforeEach, describe, expect, it } from 'vitest'
import { brokenRules } from '../lib/passwordRules'
import type { Awaits } from '../lib/wire'
import { createStaffRouter } from '../router'
import { useAccount } from '../stores/account'
import { leftBy, useSession } from '../stores/session'
import { fakeServer, type FakeHttp } from './fakes'

let http: FakeHttp

const signedIn = (awaits: Awaits | null) => ({
  staff: { id: 's', username: 'teller1', display_name: 'U', staff_number: '1001', roles: ['teller'] },
  csrf_token: 'token',
  awaits,
  idle_s: 600,
})

beforeEach(() => {
  ;({ http } = fakeServer())
})

describe('a sign-in that is not complete', () => {
  async function lands(path: string, awaits: Awaits | null): Promise<string> {
    http.answers.set('GET /api/auth/me', signedIn(awaits))
    const router = createStaffRouter()
    await router.push(path)
    return router.currentRoute.value.path
  }

  it('leads to what has to be done, wherever somebody wanted to go', async () => {
    expect(await lands('/practice', 'second_step')).toBe('/login')
    fakeServerAgain()
    expect(await lands('/practice', 'password')).toBe('/account')
    fakeServerAgain()
    expect(await lands('/login', 'enrolment')).toBe('/account')
    fakeServerAgain()
    expect(await lands('/practice', null)).toBe('/practice')
  }, 20_000) // pages are compiled when somebody goes there, which a busy machine takes its time for

  function fakeServerAgain(): void {
    ;({ http } = fakeServer())
  }

  it('shows no pages until it is', async () => {
    http.answers.set('POST /api/auth/login', signedIn('second_step'))
    http.answers.set('POST /api/auth/second-step', signedIn(null))
    const session = useSession()
    await session.login('teller1', 'p')
    expect(session.pages).toEqual([])
    expect(await session.sendCode('123456')).toBe(true)
    expect(session.pages).toContain('teller')
    expect(http.sent.at(-1)).toEqual(['POST /api/auth/second-step', { code: '123456' }])
  })

  it('keeps the step when the code is refused', async () => {
    http.answers.set('POST /api/auth/login', signedIn('second_step'))
    http.answers.set('POST /api/auth/second-step', new ApiError({ code: 'auth.code_refused' }, 400))
    const session = useSession()
    await session.login('teller1', 'p')
    expect(await session.sendCode('000000')).toBe(false)
    expect([session.awaits, session.failure?.code]).toEqual(['second_step', 'auth.code_refused'])
  })
})

it('knows why a session is over', () => {
  expect(['auth.replaced', 'auth.idle', 'auth.required', 'auth.new_reason'].map(leftBy)).toEqual(['replaced', 'idle', 'ended', 'ended'])
})

describe('password rules', () => {
  it.each([
    ['Str0ng+enough', []],
    ['空中柜面Counter7', []],
    ['Sh0rt+one', ['too_short']],
    ['onlylowerletters', ['too_simple']],
    ['my-Teller1-key', ['contains_name']],
    ['Waaaay-2-easy', ['repeats']],
    ['Go-9876-Go-Go', ['repeats']],
    ['1234', ['too_short', 'too_simple', 'repeats']],
    ['', ['too_short', 'too_simple']],
  ])('%s', (password, broken) => {
    expect([...brokenRules(password, ['teller1', '1001'], 10)]).toEqual(broken)
  })
})

describe('the own account', () => {
  const own = { password_changed_at: 'x', password_due_at: null, password_min_length: 10, totp_since: null, totp_obligatory: false, recovery_codes_left: 0 }

  it('enrols an app and shows the recovery codes once', async () => {
    http.answers.set('GET /api/account', own)
    http.answers.set('POST /api/account/totp', { secret: 'S', uri: 'otpauth:', qr: 'data:' })
    http.answers.set('POST /api/account/totp/confirm', { codes: ['a', 'b'] })
    const account = useAccount()
    await account.load()
    expect(await account.prove('begin', 'p', '')).toBe(true)
    expect(account.enrolment?.secret).toBe('S')
    expect(await account.confirm('123456')).toBe(true)
    expect([account.codes, account.enrolment]).toEqual([['a', 'b'], null])
    await account.load()
    expect(account.codes).toBe(null)
  })

  it('keeps what is shown when a change is refused', async () => {
    http.answers.set('GET /api/account', own)
    http.answers.set('POST /api/account/password', new ApiError({ code: 'password.used_before' }, 400))
    const account = useAccount()
    await account.load()
    expect(await account.changePassword('a', 'b')).toBe(false)
    expect([account.failure?.code, account.own?.password_min_length]).toEqual(['password.used_before', 10])
  })
})
