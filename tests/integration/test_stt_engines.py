"""The real engines hear Mandarin, and stay silent when nobody speaks."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rapidfuzz.distance import LCSseq
from speech_data import CALLS, clip, load_speech, models_folder, pinyin_likeness, standin_model, turns

from core.ports.recognizer import Recognizer
from core.ports.speech import Party
from core.settings import EngineChoice, Settings
from qa.stt.engines import choose_engines
from qa.stt.final import transcribe_file
from qa.stt.vad import SileroVad, cut
from qa.stt.vocabulary import script_words
from qa.stt.vosk_engine import VoskRecognizer
from qa.stt.whisper_engine import WhisperRecognizer, shortened

CALL = "account_opening_compliant"


@pytest.fixture(scope="module")
def vosk() -> VoskRecognizer:
    return VoskRecognizer(standin_model())


@pytest.fixture(scope="module")
def whisper() -> WhisperRecognizer:
    return WhisperRecognizer(models_folder() / "whisper-base")


def test_voice_activity_finds_the_turns() -> None:
    for party in ("teller", "customer"):
        found = [(at / 16_000, (at + len(pcm)) / 16_000) for at, pcm in cut(load_speech(CALL, party), SileroVad())]
        for turn in turns(CALL, party):
            covered = sum(max(0, min(end, turn.end_s) - max(start, turn.start_s)) for start, end in found)
            assert covered > 0.5
        outside = [
            (start, end)
            for start, end in found
            if not any(start < turn.end_s and end > turn.start_s for turn in turns(CALL, party))
        ]
        assert outside == []


def test_vosk_hears_the_sentences_while_they_are_spoken(vosk: VoskRecognizer) -> None:
    turn = turns(CALL, "teller")[1]
    session = vosk.open_session()
    pcm = clip(CALL, "teller", turn.start_s, turn.end_s)
    partials = [text for at in range(0, len(pcm), 3200) if (text := session.accept(pcm[at : at + 3200]))]
    [heard] = session.finish()
    assert pinyin_likeness(heard.text, turn.text) > 0.7
    assert len(partials) > 3
    assert partials == sorted(partials, key=len)
    assert len(heard.words) > 5
    assert 0 <= heard.start_s < heard.end_s <= turn.end_s - turn.start_s
    assert all(one.end_s <= other.start_s + 0.01 for one, other in zip(heard.words, heard.words[1:], strict=False))


def test_whisper_hears_the_sentences(whisper: WhisperRecognizer) -> None:
    turn = turns(CALL, "customer")[3]
    [heard] = whisper.transcribe(clip(CALL, "customer", turn.start_s, turn.end_s))
    assert pinyin_likeness(heard.text, turn.text) > 0.8
    assert heard.words
    assert all(0 <= word.start_s <= word.end_s <= 5 for word in heard.words)


SHORT_ANSWERS = ("同意", "好的", "可以", "我同意", "对", "不同意", "不行", "好")


def test_whisper_hears_answers_of_one_and_two_syllables(whisper: WhisperRecognizer) -> None:
    """Two voices; most are about 0.4 s long, and yes must never turn into no or the other way round."""
    segments = transcribe_file(
        CALLS / "short_answers.opus", Party.CUSTOMER, whisper, hot_words=script_words("transfer")
    )
    heard = [segment.text.strip("。，") for segment in segments]
    wanted = list(SHORT_ANSWERS * 2)
    assert len(heard) >= len(wanted) - 1
    assert LCSseq.similarity(heard, wanted) >= len(wanted) - 2
    assert sum("不" in text for text in heard) == 4


def test_noises_as_short_as_an_answer_are_none(whisper: WhisperRecognizer) -> None:
    rng = np.random.default_rng(1)
    breath = rng.normal(0, 600, 12_000) * np.hanning(12_000)
    knock = rng.normal(0, 8000, 12_000) * np.exp(-np.abs(np.arange(12_000) - 5000) / 120)
    hum = 4000 * np.sin(np.arange(12_000) * 2 * np.pi * 120 / 16_000) * np.hanning(12_000)
    for noise in (breath, knock, hum):
        assert whisper.transcribe(noise.astype(np.int16)) == []


def test_hot_words_are_not_heard_when_they_are_not_said(whisper: WhisperRecognizer) -> None:
    turn = turns(CALL, "teller")[2]
    hot = ["保本保息", "稳赚不赔", "安全账户", *script_words("wealth_signing")]
    [heard] = whisper.transcribe(clip(CALL, "teller", turn.start_s, turn.end_s), hot)
    assert pinyin_likeness(heard.text, turn.text) > 0.8
    assert not any(word in heard.text for word in hot)


@pytest.mark.parametrize("engine", ["vosk", "whisper"])
def test_noise_and_silence_are_not_speech(engine: str, request: pytest.FixtureRequest) -> None:
    recognizer: Recognizer = request.getfixturevalue(engine)
    noise = np.random.default_rng(1).normal(0, 300, 16_000 * 3).astype(np.int16)
    silence = np.zeros(16_000 * 3, dtype=np.int16)
    for pcm in (noise, silence):
        assert cut(pcm, SileroVad()) == []
    if engine == "whisper":
        assert recognizer.transcribe(silence) == []
        assert recognizer.transcribe(silence[:100]) == []


def settings(live: EngineChoice = "auto", final: EngineChoice = "auto", **more: Any) -> Settings:
    return Settings(live_engine=live, final_engine=final, speech_threads=1, **more)


def test_engines_are_chosen_from_what_is_there(tmp_path: Path) -> None:
    assert choose_engines(tmp_path, settings("whisper", "none")).reasons
    standin_model(tmp_path)
    only_vosk = choose_engines(tmp_path, settings())
    assert only_vosk.live is not None
    assert only_vosk.live.info.name == "vosk"
    assert only_vosk.final is only_vosk.live
    (tmp_path / "whisper-base").symlink_to(models_folder() / "whisper-base")
    both = choose_engines(tmp_path, settings())
    assert both.live is not None
    assert both.final is not None
    assert (both.live.info.label, both.final.info.label) == ("vosk/standin-zh-kokoro", "whisper/whisper-base")
    assert both.reasons == []


def test_the_settings_choose_the_model_and_how_each_role_uses_it(tmp_path: Path) -> None:
    standin_model(tmp_path)
    for name in ("whisper-a", "whisper-b"):
        (tmp_path / name).symlink_to(models_folder() / "whisper-base")
    chosen = choose_engines(tmp_path, settings("whisper", "whisper", live_model="whisper-b", final_model="whisper-b"))
    assert chosen.live is not None
    assert chosen.final is not None
    assert chosen.live.info.model == chosen.final.info.model == "whisper-b"
    assert (chosen.live.info.word_times, chosen.final.info.word_times) == (False, True)
    missing = choose_engines(tmp_path, settings("none", "whisper", final_model="whisper-large"))
    assert missing.final is None
    assert "whisper-large" in missing.reasons[0]


def test_the_encoder_is_spared_the_padding_and_none_of_what_was_said() -> None:
    seen: list[int] = []
    encode = shortened(lambda features: seen.append(features.shape[1]), 15)
    for said in (0, 400, 1400, 2900, 3000):
        features = np.zeros((80, 3000), dtype=np.float32)
        features[:, :said] = 1.0
        encode(features)
    assert seen == [1500, 1500, 1700, 3000, 3000]


def test_a_broken_model_is_named_and_passed_over(tmp_path: Path) -> None:
    (tmp_path / "vosk-model-cn-broken" / "am").mkdir(parents=True)
    (tmp_path / "vosk-model-cn-broken" / "am" / "final.mdl").write_bytes(b"not a model")
    standin_model(tmp_path)
    whisper = tmp_path / "whisper-broken"
    whisper.mkdir()
    for name in ("model.bin", "config.json", "vocabulary.txt"):
        (whisper / name).write_bytes(b"{}")
    engines = choose_engines(tmp_path, settings())
    assert engines.live is not None
    assert engines.live.info.model == "standin-zh-kokoro"
    assert engines.final is engines.live
    assert len(engines.reasons) == 2
    assert "vosk-model-cn-broken" in engines.reasons[0]
