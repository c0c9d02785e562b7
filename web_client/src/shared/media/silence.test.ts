import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { SilenceWatch } from './silence'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

/** A connection of which only the number of packets matters. */
function watched(of: { packets: number | undefined }) {
  const tell = vi.fn()
  const getStats = () => Promise.resolve(new Map([['T', { type: 'transport', packetsReceived: of.packets }]]))
  return { tell, watch: new SilenceWatch({ getStats } as unknown as RTCPeerConnection, tell) }
}

async function pass(ms: number, each?: () => void): Promise<void> {
  for (let at = 0; at < ms; at += 500) {
    each?.()
    await vi.advanceTimersByTimeAsync(500)
  }
}

it('tells once when nothing comes any more, and again after it came back', async () => {
  const of = { packets: 0 }
  const { tell, watch } = watched(of)
  await pass(3000, () => (of.packets += 10))
  expect(tell).not.toHaveBeenCalled()
  await pass(5000)
  expect(tell).toHaveBeenCalledTimes(1)
  expect(watch.silent).toBe(true)
  await pass(1000, () => (of.packets += 10))
  expect(watch.silent).toBe(false)
  await pass(5000)
  expect(tell).toHaveBeenCalledTimes(2)
})

it('knows nothing of a connection through which nothing came yet, or of which the browser counts nothing', async () => {
  for (const packets of [0, undefined]) {
    const { tell, watch } = watched({ packets })
    await pass(10_000)
    expect(tell).not.toHaveBeenCalled()
    expect(watch.silent).toBe(false)
    watch.stop()
  }
})

it('looks no more once stopped', async () => {
  const of = { packets: 0 }
  const { tell, watch } = watched(of)
  await pass(2000, () => (of.packets += 10))
  watch.stop()
  await pass(10_000)
  expect(tell).not.toHaveBeenCalled()
})
