"""One running house for all end-to-end tests: stand-in Vosk hears live, Whisper hears the files."""

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from running_house import RunningHouse
from speech_data import models_folder, standin_model


@pytest.fixture(scope="session")
def speech_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A models folder with both engines: the Vosk fixture from tests/data and Whisper base."""
    folder = tmp_path_factory.mktemp("models")
    standin = standin_model()
    os.symlink(standin, folder / standin.name)
    whisper = models_folder() / "whisper-base"
    os.symlink(whisper, folder / whisper.name)
    return folder


@pytest.fixture(scope="session")
def house(speech_models: Path) -> Iterator[RunningHouse]:
    """A running house, shared."""
    with RunningHouse(speech_models) as running:
        yield running
        secrets = json.loads((running.data_dir / "secrets.json").read_text())
        assert not [name for name, value in secrets.items() if value in running.log()], "secrets in the log"
        assert not re.findall(r"eyJhbGci\S+|ac_session=\S+|\$argon2\S+", running.log()), "tokens in the log"
        assert not [line for line in running.log().splitlines() if "Traceback" in line], running.log()[-8000:]
