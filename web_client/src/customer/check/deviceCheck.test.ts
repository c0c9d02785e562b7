import { beforeEach, describe, expect, it, vi } from 'vitest'
import { cameraAndMicrophone, FakeStream, FakeTrack } from '../../../tests/fakes/fakePeer'
import { DeviceCheck, type DeviceCheckParts } from './deviceCheck'

let parts: DeviceCheckParts
let check: DeviceCheck

beforeEach(() => {
  parts = {
    capture: vi.fn(async () => cameraAndMicrophone()),
    level: vi.fn(() => () => undefined),
    chime: vi.fn(async () => undefined),
    roundTrip: vi.fn(async () => 20),
    before: () => null,
  }
  check = new DeviceCheck(parts)
})

describe('DeviceCheck', () => {
  it('opens the devices, shows the level and grades the network', async () => {
    await check.start()
    expect(check.state).toMatchObject({ devices: 'ready', video: true, network: 'good' })
    expect(parts.level).toHaveBeenCalledOnce()
  })

  it('keeps the open stream for the call', async () => {
    await check.start()
    const checked = check.stream.value
    await expect(check.open(true)).resolves.toBe(checked)
    expect(parts.capture).toHaveBeenCalledOnce()
  })

  it('asks the browser once even when asked twice', async () => {
    await Promise.all([check.open(true), check.open(true)])
    expect(parts.capture).toHaveBeenCalledOnce()
  })

  it('says what is wrong and recovers on retry', async () => {
    vi.mocked(parts.capture).mockRejectedValueOnce(new DOMException('', 'NotAllowedError'))
    await check.start()
    expect(check.state).toMatchObject({ devices: 'problem', problem: 'denied' })
    await check.start()
    expect(check.state).toMatchObject({ devices: 'ready', problem: null })
  })

  it('does not ask where it cannot work', async () => {
    check = new DeviceCheck({ ...parts, before: () => 'in_app' })
    await check.start()
    expect(check.state.problem).toBe('in_app')
    expect(parts.capture).not.toHaveBeenCalled()
  })

  it('goes on without a camera', async () => {
    vi.mocked(parts.capture).mockResolvedValueOnce(new FakeStream([new FakeTrack('audio')]) as unknown as MediaStream)
    await check.withoutCamera()
    expect(parts.capture).toHaveBeenCalledWith({ video: false })
    expect(check.state).toMatchObject({ devices: 'ready', video: false })
  })

  it('hears a voice', async () => {
    let give: (samples: Float32Array) => void = () => undefined
    parts.level = (_stream, onSamples) => ((give = onSamples), () => undefined)
    check = new DeviceCheck(parts)
    await check.start()
    give(new Float32Array(8).fill(0.0001))
    expect(check.state.heard).toBe(false)
    give(new Float32Array(8).fill(0.2))
    expect(check.state.heard).toBe(true)
  })

  it('opens again when a device is unplugged, and says so', async () => {
    await check.start()
    const replaced = vi.fn()
    check.events.on('replaced', replaced)
    const camera = check.stream.value?.getVideoTracks()[0] as unknown as FakeTrack
    camera.stop()
    camera.dispatchEvent(new Event('ended'))
    await vi.waitFor(() => expect(replaced).toHaveBeenCalledOnce())
    expect(parts.capture).toHaveBeenCalledTimes(2)
  })

  it('switches camera and microphone off when released', async () => {
    await check.start()
    const tracks = check.stream.value?.getTracks() ?? []
    check.release()
    expect(tracks.map((track) => track.readyState)).toEqual(['ended', 'ended'])
    expect(check.stream.value).toBeNull()
  })
})
