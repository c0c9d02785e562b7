import { describe, expect, it } from 'vitest'
import { browserFamily, inAppBrowser, problemBefore, problemOf } from './devices'

const CHROME = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36'
const WECHAT = 'Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/120 Mobile Safari/537.36 MicroMessenger/8.0.44'

describe('problemOf', () => {
  it.each([
    ['NotAllowedError', 'denied'],
    ['NotFoundError', 'missing'],
    ['OverconstrainedError', 'missing'],
    ['NotReadableError', 'busy'],
    ['OtherError', 'unknown'],
  ])('%s means %s', (name, problem) => expect(problemOf(new DOMException('', name))).toBe(problem))
})

describe('problemBefore', () => {
  it('sends people out of web views, even when those have a camera', () => {
    expect(problemBefore(WECHAT, true, true)).toBe('in_app')
  })
  it('explains an insecure address', () => expect(problemBefore(CHROME, false, false)).toBe('insecure'))
  it('names an old browser', () => expect(problemBefore(CHROME, true, false)).toBe('unsupported'))
  it('has nothing to say otherwise', () => expect(problemBefore(CHROME, true, true)).toBeNull())
})

describe('browsers', () => {
  it.each([
    [CHROME, 'chrome'],
    [CHROME + ' Edg/140.0', 'edge'],
    [WECHAT, 'android'],
    ['Mozilla/5.0 (iPhone; CPU iPhone OS 18_0) AppleWebKit Version/18 Mobile Safari', 'ios'],
    ['Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0', 'firefox'],
    ['Mozilla/5.0 (Macintosh) AppleWebKit/605 Version/18 Safari/605', 'safari'],
  ])('%s', (userAgent, family) => expect(browserFamily(userAgent)).toBe(family))

  it('knows web views', () => {
    expect(inAppBrowser(WECHAT)).toBe('MicroMessenger')
    expect(inAppBrowser(CHROME)).toBeNull()
  })
})
