"""Speech: what the whole chain (Opus, network, recording) costs in recognised characters, and what rules then find.

    python bench/speech.py [--calls DIR] [--only NAME ...] [--engine auto|whisper|vosk ...] [--url URL]

Every call of DIR (format of tests/data/speech: ``calls.json`` and one file a party) is held in real time through
``aircounter demo-call``. The last line is one JSON object. ``cer_chain``: character error rate of the final
transcripts; ``cer_clean``: of the same engine on the given files; ``cer_ratio``: the first over the second;
``precision``, ``recall``: script findings of the held calls against the expected ones; ``cpu_per_audio_s``: of the
clean transcription, per second of the call; ``cpu_ratio_bare``: that over the bare engine's on the same whole file in
the same run (same model, beam and word times), ``cpu_ratio_bare_vad``: over the bare engine with its own voice filter;
``live_delay_s``: from the end of a sentence to its final caption on the teller's page, median, 95th percentile and
longest, with the live engine's name; ``misses``; ``by_engine``: the same for each engine asked for.
"""

import argparse
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
import wave
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "bench")]

import numpy as np  # noqa: E402
import structlog  # noqa: E402
from common import print_result, say  # noqa: E402
from compliance import judge  # noqa: E402

from core.ports.compliance import FindingKind  # noqa: E402
from core.ports.recognizer import SPEECH_RATE_HZ, Recognizer  # noqa: E402
from core.ports.speech import Party  # noqa: E402
from core.settings import Settings  # noqa: E402
from qa.evidence.error_rate import character_errors  # noqa: E402
from qa.stt.engines import choose_engines  # noqa: E402
from qa.stt.final import decode_file, transcribe_file  # noqa: E402
from qa.stt.vocabulary import script_words  # noqa: E402

CALLS = ROOT / "tests" / "data" / "speech"


class ErrorRate:
    """Character error rate over many texts."""

    def __init__(self) -> None:
        self.errors = 0
        self.length = 0

    def add(self, said: str, heard: str) -> None:
        """One party of one call."""
        errors, length = character_errors(heard, said)
        self.errors += errors
        self.length += length

    @property
    def value(self) -> float:
        """Errors per character said."""
        return self.errors / self.length if self.length else 0.0


def read_calls(folder: Path, only: list[str]) -> dict[str, Any]:
    """The sheet of the chosen calls.

    Raises:
        SystemExit: One sentence about what is wrong with the folder.
    """
    sheet = folder / "calls.json"
    try:
        calls: dict[str, Any] = json.loads(sheet.read_text(encoding="utf-8"))
        chosen = {name: calls[name] for name in only or calls}
        for name, call in chosen.items():
            _ = call["business"], call["duration_s"], call["expect"], call["turns"]
            for party in Party:
                sound_file(folder, name, party)
    except OSError as error:
        raise SystemExit(f"cannot read {sheet}: {error.strerror}; --calls takes a folder like {CALLS}") from error
    except json.JSONDecodeError as error:
        raise SystemExit(f"{sheet} is no JSON: {error}") from error
    except StopIteration:
        raise SystemExit(f"{name}.{party}.wav (or .opus, .flac) is missing in {folder}") from None
    except (KeyError, TypeError, AttributeError) as error:
        raise SystemExit(f"{sheet} lacks {error}; it must look like {CALLS / 'calls.json'}") from error
    if not chosen:
        raise SystemExit(f"{sheet} holds no call")
    return chosen


def sound_file(folder: Path, name: str, party: Party) -> Path:
    """A party's file, whatever its kind."""
    return next(p for p in sorted(folder.glob(f"{name}.{party}.*")) if p.suffix in (".wav", ".opus", ".flac"))


def as_wav(source: Path, target: Path) -> Path:
    """The file as 16 kHz WAV, which every version of `demo-call` takes."""
    pieces = [(at, pcm) for at, pcm in decode_file(source)]
    samples = np.zeros(max(at + len(pcm) for at, pcm in pieces), dtype=np.int16)
    for at, pcm in pieces:
        samples[at : at + len(pcm)] = pcm
    with wave.open(str(target), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(SPEECH_RATE_HZ)
        out.writeframes(samples.tobytes())
    return target


def hold_call(folder: Path, name: str, business: str, engine: str, url: str | None) -> dict[str, Any]:
    """Hold the call through the product; its result as `demo-call --json` prints it."""
    with tempfile.TemporaryDirectory() as work:
        command = [str(Path(sys.executable).with_name("aircounter")), "demo-call", "--json", "--business", business]
        for party in Party:
            wav = as_wav(sound_file(folder, name, party), Path(work) / f"{party}.wav")
            command += [f"--{party}-audio", str(wav)]
        command += ["--url", url] if url else []
        environment = os.environ | {"AIRCOUNTER_FINAL_ENGINE": engine}
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, env=environment)
        if done.returncode:  # a crowded machine may lose a connection; a second failure is no accident
            say(f"{name}: the call could not be held, once more")
            done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False, env=environment)
        if done.returncode:
            raise SystemExit(f"{name}: the call could not be held (exit code {done.returncode}), see above")
    result: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return result


def clean_texts(folder: Path, name: str, business: str, engine: Recognizer) -> dict[Party, str]:
    """The same engine with the same hot words on the given files."""
    return {
        party: "".join(
            segment.text
            for segment in transcribe_file(
                sound_file(folder, name, party), party, engine, hot_words=script_words(business)
            )
        )
        for party in Party
    }


def bare_engine_cpu(source: Path, engine: Recognizer, folder: Path, own_filter: bool) -> float:
    """CPU seconds of the library alone on the whole file: no cutting, no hot words, nothing heard twice."""
    pcm = np.concatenate([piece for _, piece in decode_file(source)])
    if engine.info.name == "vosk":
        session = engine.open_session()
        begin = time.process_time()
        session.accept(pcm)
        session.finish()
        return time.process_time() - begin
    from faster_whisper import WhisperModel

    model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=2, local_files_only=True)
    samples = pcm.astype(np.float32) / 32768.0
    begin = time.process_time()
    segments, _ = model.transcribe(
        samples,
        language="zh",
        beam_size=5,
        temperature=0.0,
        condition_on_previous_text=False,
        word_timestamps=True,
        vad_filter=own_filter,
    )
    list(segments)
    return time.process_time() - begin


def live_delays(call: dict[str, Any], captions: list[dict[str, Any]]) -> list[float]:
    """Seconds from the end of every captioned sentence (pause of the cut not included) to its final caption.

    The caption's times are the call's, `told_s` counts from the moment both began to play their files: the offset
    between the two is the one at which most captions begin together with a sentence of the sheet.
    """
    starts = [turn["start_s"] for turn in call["turns"]]
    guesses = [caption["start_s"] - start for caption in captions for start in starts]

    def fitting(offset_s: float) -> int:
        return sum(any(abs(c["start_s"] - offset_s - start) < 0.25 for start in starts) for c in captions)

    if not guesses:
        return []
    offset_s = max(guesses, key=fitting)
    return [caption["told_s"] - (caption["end_s"] - offset_s) for caption in captions]


def findings_of(result: dict[str, Any]) -> list[Any]:
    """Findings in the shape `judge` reads."""
    return [
        SimpleNamespace(
            rule_id=f["id"],
            kind=FindingKind(f["kind"]),
            phrase=f.get("phrase") or f["evidence"],
            evidence=f["evidence"],
        )
        for f in result["findings"]
    ]


@dataclass
class Tally:
    """Sums over the calls of one engine."""

    label: str
    chain: ErrorRate = field(default_factory=ErrorRate)
    clean: ErrorRate = field(default_factory=ErrorRate)
    right: int = 0
    missed: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    cpu_s: float = 0.0
    audio_s: float = 0.0
    bare_s: float = 0.0
    bare_vad_s: float = 0.0
    delays_s: list[float] = field(default_factory=list)
    live_engine: str | None = None

    def figures(self) -> dict[str, Any]:
        """The result's keys."""
        right, missed, wrong = self.right, len(self.missed), len(self.wrong)
        return {
            "cer_chain": round(self.chain.value, 4),
            "cer_clean": round(self.clean.value, 4),
            "cer_ratio": round(self.chain.value / self.clean.value, 3) if self.clean.value else None,
            "precision": round(right / (right + wrong), 4) if right + wrong else 1.0,
            "recall": round(right / (right + missed), 4) if right + missed else 1.0,
            "cpu_per_audio_s": round(self.cpu_s / self.audio_s, 4) if self.audio_s else None,
            "cpu_ratio_bare": round(self.cpu_s / self.bare_s, 3) if self.bare_s else None,
            "cpu_ratio_bare_vad": round(self.cpu_s / self.bare_vad_s, 3) if self.bare_vad_s else None,
            "live_delay_s": _spread(self.delays_s) | {"engine": self.live_engine},
            "misses": self.missed + self.wrong,
        }


def _spread(values: list[float]) -> dict[str, Any]:
    if not values:
        return {"sentences": 0}
    ordered = sorted(values)
    return {
        "sentences": len(ordered),
        "p50": round(statistics.median(ordered), 2),
        "p95": round(ordered[math.ceil(0.95 * len(ordered)) - 1], 2),
        "max": round(ordered[-1], 2),
    }


def final_engine(choice: str) -> Recognizer:
    """The engine that hears finished calls, as the product chooses it."""
    settings = Settings(final_engine=choice)
    engine = choose_engines(settings.models_path, settings, roles=("final",)).final
    if engine is None or choice not in ("auto", engine.info.name):
        raise SystemExit(f"no speech model for the engine '{choice}': run `aircounter models pull`")
    return engine


def measure(folder: Path, calls: dict[str, Any], choice: str, url: str | None) -> Tally:
    """All figures of one engine."""
    engine = final_engine(choice)
    tally = Tally(engine.info.label)
    for name, call in calls.items():
        say(f"{name}: transcribing the files with {tally.label}")
        begin = time.process_time()
        texts = clean_texts(folder, name, call["business"], engine)
        tally.cpu_s += time.process_time() - begin
        tally.audio_s += 2 * call["duration_s"]
        model = Settings().models_path / engine.info.model
        for party in Party:
            source = sound_file(folder, name, party)
            tally.bare_s += bare_engine_cpu(source, engine, model, own_filter=False)
            tally.bare_vad_s += bare_engine_cpu(source, engine, model, own_filter=True)
        say(f"{name}: holding the call, {call['duration_s']:.0f} s")
        result = hold_call(folder, name, call["business"], choice, url)
        for party in Party:
            said = "".join(turn["text"] for turn in call["turns"] if turn["party"] == party)
            tally.clean.add(said, texts[party])
            tally.chain.add(said, "".join(s["text"] for s in result["transcript"] if s["party"] == party))
        tally.delays_s += live_delays(call, result.get("captions", []))
        tally.live_engine = (result.get("engines") or {}).get("live")
        hits, absent, false = judge(name, call["expect"], findings_of(result))
        tally.right += hits
        tally.missed += absent
        tally.wrong += false
        say(f"{name}: cer so far chain {tally.chain.value:.3f} clean {tally.clean.value:.3f}")
    return tally


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=Path, default=CALLS, help="folder with calls.json and sound files")
    parser.add_argument("--only", nargs="*", default=[], help="names of calls")
    parser.add_argument("--url", help="a running server with demo staff; default: a throw-away one per call")
    parser.add_argument(
        "--engine", nargs="+", default=["auto"], choices=("auto", "whisper", "vosk"), help="of the final transcript"
    )
    arguments = parser.parse_args()
    if arguments.url and arguments.engine != ["auto"]:
        parser.error("a running server has chosen its engine: --engine needs a throw-away one")
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    calls = read_calls(arguments.calls, arguments.only)
    tallies = [measure(arguments.calls, calls, choice, arguments.url) for choice in arguments.engine]
    by_engine = {tally.label: tally.figures() for tally in tallies}
    print_result(tallies[0].figures() | {"engine": tallies[0].label, "by_engine": by_engine})


if __name__ == "__main__":
    main()
