"""Spoken calls and the Vosk fixture that lie compressed in tests/data."""

import json
import os
import tarfile
import wave
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

DATA = Path(__file__).resolve().parent.parent / "data"
CALLS = DATA / "speech"
STANDIN = DATA / "standin-zh-kokoro.tar.gz"
CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "aircounter"

CALL_NAMES = (
    "account_opening_compliant",
    "password_reset_rude",
    "transfer_suspected_fraud",
    "wealth_mis_selling",
)


@dataclass(frozen=True)
class Turn:
    """One spoken sentence of a call."""

    party: str
    start_s: float
    end_s: float
    text: str


@cache
def call_sheet(name: str) -> dict[str, Any]:
    """What a call is about: business, voices, expected findings, turns."""
    sheet: dict[str, Any] = json.loads((CALLS / "calls.json").read_text(encoding="utf-8"))[name]
    return sheet


def turns(name: str, party: str | None = None) -> list[Turn]:
    """The spoken sentences, of one party or both."""
    found = (Turn(**turn) for turn in call_sheet(name)["turns"])
    return [turn for turn in found if party in (None, turn.party)]


@cache
def load_speech(name: str, party: str, rate_hz: int = 16_000) -> NDArray[np.int16]:
    """One party of a call, mono; starts at the call's second 0."""
    resampler = av.AudioResampler(format="s16", layout="mono", rate=rate_hz)
    parts = []
    with av.open(str(CALLS / f"{name}.{party}.opus")) as container:
        for frame in container.decode(audio=0):
            parts += [piece.to_ndarray()[0] for piece in resampler.resample(frame)]
    parts += [piece.to_ndarray()[0] for piece in resampler.resample(None)]
    pcm: NDArray[np.int16] = np.concatenate(parts)
    pcm.flags.writeable = False
    return pcm


def clip(name: str, party: str, start_s: float, end_s: float, rate_hz: int = 16_000) -> NDArray[np.int16]:
    """A stretch of one party's voice."""
    return load_speech(name, party, rate_hz)[int(start_s * rate_hz) : int(end_s * rate_hz)]


def write_wav(
    path: Path,
    name: str,
    party: str,
    start_s: float = 0.0,
    end_s: float | None = None,
    rate_hz: int = 48_000,
) -> Path:
    """A mono WAV, 48 kHz by default: what Chromium plays as its fake microphone."""
    pcm = load_speech(name, party, rate_hz)
    pcm = pcm[int(start_s * rate_hz) : None if end_s is None else int(end_s * rate_hz)]
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate_hz)
        out.writeframes(pcm.tobytes())
    return path


def standin_model(folder: Path | None = None) -> Path:
    """Unpack the Vosk fixture (once) into `folder` and return the model's own folder.

    `folder` (default: a cache) can serve as a models folder. The fixture knows a few synthetic voices near the
    sample calls' wording only: never take its error rate for the product's.
    """
    folder = folder or CACHE / "test-models"
    model = folder / "standin-zh-kokoro"
    if not (model / "am" / "final.mdl").exists():
        folder.mkdir(parents=True, exist_ok=True)
        work = folder / f".unpack-{os.getpid()}"
        with tarfile.open(STANDIN) as archive:
            archive.extractall(work, filter="data")
        try:
            (work / model.name).rename(model)
        except OSError:
            if not (model / "am" / "final.mdl").exists():
                raise
    return model


def opus_packets(pcm48: NDArray[np.int16], bit_rate_bps: int = 24_000, fec: bool = True) -> list[bytes]:
    """Encode 48 kHz samples the way a browser does: 20 ms Opus packets."""
    encoder = av.CodecContext.create("libopus", "w")
    assert isinstance(encoder, av.AudioCodecContext)
    encoder.sample_rate = 48_000
    encoder.layout = "mono"
    encoder.format = "s16"
    encoder.bit_rate = bit_rate_bps
    encoder.options = {"application": "voip", "fec": str(int(fec)), "packet_loss": "10", "frame_duration": "20"}
    packets = []
    for start in range(0, len(pcm48) - 959, 960):
        frame = av.AudioFrame.from_ndarray(pcm48[None, start : start + 960], format="s16", layout="mono")
        frame.sample_rate = 48_000
        frame.pts = start
        packets += [bytes(packet) for packet in encoder.encode(frame)]
    return packets


def models_folder() -> Path:
    """A models folder with Whisper base: ``AIRCOUNTER_MODELS_DIR`` or a cache, filled on first use."""
    from qa.stt.pull import pull

    folder = Path(os.environ.get("AIRCOUNTER_MODELS_DIR") or CACHE / "models")
    pull(folder, "whisper")
    return folder


def pinyin_likeness(heard: str, said: str) -> float:
    """0–1: how much of what was said was heard, by sound (characters lie, pinyin does not)."""
    from pypinyin import lazy_pinyin
    from rapidfuzz.distance import Levenshtein

    def sounds(text: str) -> list[str]:
        spoken = text.translate(str.maketrans("0123456789", "零一二三四五六七八九"))
        return lazy_pinyin("".join(char for char in spoken if "\u4e00" <= char <= "\u9fff"))

    return float(Levenshtein.normalized_similarity(sounds(heard), sounds(said)))
