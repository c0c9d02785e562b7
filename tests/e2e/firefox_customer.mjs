// A customer in stock Firefox, driven over WebDriver BiDi. Prints one JSON line for each thing that happened.
//   node firefox_customer.mjs FIREFOX BASE_URL BUSINESS
import { createRequire } from 'node:module'

const puppeteer = createRequire(new URL('../../web_client/package.json', import.meta.url))('puppeteer-core')
const [firefox, baseUrl, business] = process.argv.slice(2)
const say = (event, facts = {}) => console.log(JSON.stringify({ event, ...facts }))

const browser = await puppeteer.launch({
  browser: 'firefox',
  executablePath: firefox,
  headless: true,
  extraPrefsFirefox: {
    'media.navigator.streams.fake': true,
    'media.navigator.permission.disabled': true,
    'media.autoplay.default': 0,
  },
})
// Whoever started this ends it by closing the input.
let ending = false
process.stdin.resume().on('end', async () => {
  ending = true // what was waited for fails now, and may
  await browser.close()
  process.exit(0)
})
process.on('uncaughtException', (error) => {
  if (!ending) say('failed', { text: String(error.stack ?? error) })
  process.exit(ending ? 0 : 1)
})

const page = await browser.newPage()
page.on('pageerror', (error) => say('problem', { text: String(error) }))
await page.evaluateOnNewDocument(() => {
  window.peers = []
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(...given) {
      super(...given)
      window.peers.push(this)
    }
  }
})
const press = async (testid) => {
  const found = await page.waitForSelector(`[data-testid="${testid}"]:not([disabled])`, { visible: true, timeout: 20000 })
  await found.click()
}
await page.goto(baseUrl)
await press(`business-${business}`)
await press('check-continue')
await press('consent-agree')
say('queued', { version: await browser.version() })

const video = '[data-testid="call-remote-video"]'
await page.waitForSelector(video, { timeout: 40000 })
// Firefox counts no decoded frames for streams (getVideoPlaybackQuality): ask for every picture shown.
const pictures = () =>
  page.evaluate(
    (at) =>
      new Promise((resolve) => {
        let seen = 0
        const next = () => {
          seen += 1
          if (seen >= 20) resolve(seen)
          else document.querySelector(at).requestVideoFrameCallback(next)
        }
        document.querySelector(at).requestVideoFrameCallback(next)
        setTimeout(() => resolve(seen), 30000)
      }),
    video,
  )
say('sees', { pictures: await pictures() })
// A machine without a sound device plays nothing; how loud the decoded sound is, the connection knows.
const loudness = () =>
  page.evaluate(async () => {
    let loudest = 0
    for (let n = 0; n < 100 && loudest < 0.02; n += 1) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      for (const facts of (await window.peers.at(-1).getStats()).values())
        if (facts.type === 'inbound-rtp' && facts.kind === 'audio') loudest = Math.max(loudest, facts.audioLevel ?? 0)
    }
    return loudest
  })
say('hears', { loudness: await loudness() })
