"""Who hears whom at real pages: everybody hums a tone of their own, and each ear is measured for it."""

import numpy as np
from browser import Person
from numpy.typing import NDArray

HUM_RATE_HZ = 16_000
LOUD, QUIET = 0.02, 0.004  # amplitudes at an ear; tones are hummed with 0.24
WAIT_MS = 20_000
LOOKS = 5  # looks in a row at which a tone must be missing, 100 ms apart

_EAR = """
window.__level ??= async (testid, hz) => {
  const video = document.querySelector(`[data-testid="${testid}"]`);
  const tracks = video?.srcObject?.getAudioTracks() ?? [];
  window.__ears ??= { context: new AudioContext(), nodes: new Map() };
  const { context, nodes } = window.__ears;
  await context.resume();
  let loudest = 0;
  for (const track of tracks) {
    if (!nodes.has(track.id)) {
      const analyser = context.createAnalyser();
      analyser.fftSize = 8192; analyser.smoothingTimeConstant = 0;
      context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
      nodes.set(track.id, analyser);
      await new Promise((done) => setTimeout(done, 250));
    }
    const analyser = nodes.get(track.id);
    const wave = new Float32Array(analyser.fftSize);
    analyser.getFloatTimeDomainData(wave);
    let re = 0, im = 0;
    for (let i = 0; i < wave.length; i += 1) {
      const turn = (2 * Math.PI * hz * i) / context.sampleRate;
      re += wave[i] * Math.cos(turn); im += wave[i] * Math.sin(turn);
    }
    loudest = Math.max(loudest, (2 * Math.hypot(re, im)) / wave.length);
  }
  return loudest;
};
"""


def tone(hz: int, seconds: int) -> NDArray[np.int16]:
    """A sine, mono."""
    turns = hz * np.arange(HUM_RATE_HZ * seconds) / HUM_RATE_HZ
    return (8000 * np.sin(2 * np.pi * turns)).astype(np.int16)


async def hum(person: Person, hz: int, seconds: int = 120) -> None:
    """Begin to hum into the page's microphone."""
    await person.prepare_speech(tone(hz, seconds), HUM_RATE_HZ)
    await person.speak()


async def hears(person: Person, testid: str, hz: int) -> None:
    """Until the tone arrives at what this video element plays. TimeoutError when it does not."""
    await person.page.evaluate(_EAR)
    await person.page.wait_for_function(
        f"async ([id, hz]) => (await window.__level(id, hz)) > {LOUD}", arg=[testid, hz], timeout=WAIT_MS
    )


async def hears_not(person: Person, testid: str, hz: int) -> None:
    """Until the tone is missing at several looks in a row. TimeoutError when it stays."""
    await person.page.evaluate(_EAR)
    script = f"""async ([id, hz]) => {{
        for (let i = 0; i < {LOOKS}; i += 1) {{
          if ((await window.__level(id, hz)) > {QUIET}) return false;
          await new Promise((done) => setTimeout(done, 100));
        }}
        return true;
    }}"""
    await person.page.wait_for_function(script, arg=[testid, hz], timeout=WAIT_MS)


async def never_heard(person: Person, testid: str, hz: int) -> None:
    """The tone is not there now, at several looks; no second chance. AssertionError with the loudest."""
    await person.page.evaluate(_EAR)
    loudest = await person.page.evaluate(
        f"""async ([id, hz]) => {{
        let loudest = 0;
        for (let i = 0; i < {2 * LOOKS}; i += 1) {{
          loudest = Math.max(loudest, await window.__level(id, hz));
          await new Promise((done) => setTimeout(done, 100));
        }}
        return loudest;
    }}""",
        [testid, hz],
    )
    assert loudest < QUIET, loudest
