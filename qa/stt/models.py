"""Speech models: where they lie, and how they are fetched."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

VOSK_NAME = "vosk-model-small-cn-0.22"
WHISPER_NAME = "whisper-base"

_VOSK_LANGUAGE = re.compile(r"vosk-model(?:-small)?-([a-z]{2})\b")
_HAN = re.compile("[\u4e00-\u9fff]")


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """A model found on disk."""

    engine: Literal["vosk", "whisper"]
    path: Path


def find_models(folder: Path) -> list[ModelFolder]:
    """Mandarin-capable models: in `folder` (any sub-folder), then where Vosk itself looks.

    The official Chinese Vosk models come before other Mandarin models for Vosk.
    """
    own = sorted(_children(folder), key=lambda path: (not _is_official_chinese(path), path.name))
    found = [ModelFolder("vosk", path) for path in own if _is_vosk(path) and _speaks_mandarin(path)]
    found += [ModelFolder("whisper", path) for path in own if _is_whisper(path)]
    for place in _vosk_places():
        # Vosk's own rule: the name says the language.
        found += [
            ModelFolder("vosk", path)
            for path in sorted(_children(place))
            if _is_official_chinese(path) and _is_vosk(path)
        ]
    return found


def _vosk_places() -> Iterator[Path]:
    """Vosk's lookup order (vosk 0.3.45, MODEL_DIRS); read now, not at import."""
    configured = os.environ.get("VOSK_MODEL_PATH")
    if configured:
        yield Path(configured)
    yield Path("/usr/share/vosk")
    yield Path.home() / ".cache/vosk"


def _children(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")]
    except OSError:
        return []


def _is_vosk(path: Path) -> bool:
    return (path / "am" / "final.mdl").is_file() or (path / "final.mdl").is_file()  # flat: before 2020


def _is_official_chinese(path: Path) -> bool:
    match = _VOSK_LANGUAGE.match(path.name)
    return match is not None and match[1] == "cn"


def _speaks_mandarin(path: Path) -> bool:
    """By name for Vosk's own models, else by the word list when there is one."""
    match = _VOSK_LANGUAGE.match(path.name)
    if match is not None:
        return match[1] == "cn"
    words = path / "graph" / "words.txt"
    if not words.is_file():
        return True
    with words.open(encoding="utf-8", errors="replace") as lines:
        return any(_HAN.search(line) for _, line in zip(range(5000), lines, strict=False))


def _is_whisper(path: Path) -> bool:
    vocabulary = any((path / name).is_file() for name in ("vocabulary.txt", "vocabulary.json"))
    return vocabulary and (path / "model.bin").is_file() and (path / "config.json").is_file()
