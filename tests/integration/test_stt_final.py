"""Recorded files: true times across gaps, clear refusals."""

import itertools
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from speech_data import clip, pinyin_likeness, standin_model, turns

from core.errors import BadInputError
from core.ports.speech import Party
from qa.stt.final import decode_file, level_db, transcribe_file
from qa.stt.vosk_engine import VoskRecognizer

CALL = "account_opening_compliant"


def write_webm(path: Path, pieces: list[tuple[float, NDArray[np.int16]]]) -> Path:
    """48 kHz pieces at their seconds; between them the file holds nothing."""
    with av.open(str(path), "w", format="webm") as container:
        stream = container.add_stream("libopus", rate=48_000, layout="mono")
        for at_s, pcm in pieces:
            encoder = av.CodecContext.create("libopus", "w")
            assert isinstance(encoder, av.AudioCodecContext)
            encoder.sample_rate, encoder.layout, encoder.format = 48_000, "mono", "s16"
            for start in range(0, len(pcm) - 959, 960):
                frame = av.AudioFrame.from_ndarray(pcm[None, start : start + 960], format="s16", layout="mono")
                frame.sample_rate, frame.pts = 48_000, start
                for packet in encoder.encode(frame):
                    packet.stream = stream
                    packet.pts = packet.dts = round((at_s + start / 48_000) * 1000)
                    packet.time_base = Fraction(1, 1000)
                    container.mux(packet)
    return path


def test_a_file_with_a_gap_keeps_its_times(tmp_path: Path) -> None:
    first, second = turns(CALL, "teller")[1], turns(CALL, "teller")[2]
    path = write_webm(
        tmp_path / "gap.webm",
        [
            (1.0, clip(CALL, "teller", first.start_s, first.end_s, 48_000)),
            (100.0, clip(CALL, "teller", second.start_s, second.end_s, 48_000)),
        ],
    )
    seen: list[float] = []
    segments = transcribe_file(path, Party.TELLER, VoskRecognizer(standin_model()), offset_s=7.5, progress=seen.append)
    assert len(segments) == 2
    for segment, turn, at_s in zip(segments, (first, second), (8.5, 107.5), strict=True):
        assert segment.party is Party.TELLER
        assert pinyin_likeness(segment.text, turn.text) > 0.7
        assert at_s <= segment.start_s < segment.end_s <= at_s + turn.end_s - turn.start_s
        assert segment.words[0].start_s == segment.start_s
        assert segment.level_db is not None
        assert -40 < segment.level_db < 0
    assert seen == sorted(seen)
    assert seen[-1] == pytest.approx(100 + second.end_s - second.start_s, abs=0.1)


def test_the_level_of_a_voice_does_not_count_its_pauses() -> None:
    tone = (np.sin(np.arange(16_000) / 20) * 3277).astype(np.int16)  # a tenth of full scale: RMS 3 dB below -20
    assert level_db(tone) == pytest.approx(-23.0, abs=0.1)
    assert level_db(np.concatenate([tone, np.zeros(12_000, np.int16)])) == pytest.approx(-23.0, abs=0.3)
    assert level_db(np.zeros(16_000, np.int16)) is None
    assert level_db(tone[:100]) is None


def test_positions_follow_the_files_time_stamps(tmp_path: Path) -> None:
    tone = (np.sin(np.arange(48_000) / 20) * 5000).astype(np.int16)
    path = write_webm(tmp_path / "t.webm", [(0.5, tone), (5.0, tone)])
    pieces = list(decode_file(path.read_bytes()))
    jumps = [
        one[0] - (other[0] + len(other[1]))
        for other, one in itertools.pairwise(pieces)
        if one[0] != other[0] + len(other[1])
    ]
    assert len(jumps) == 1
    assert jumps[0] / 16_000 == pytest.approx(3.5, abs=0.03)
    assert pieces[0][0] / 16_000 == pytest.approx(0.5, abs=0.02)


def test_a_file_without_audio_or_sense_is_refused(tmp_path: Path) -> None:
    broken = tmp_path / "broken.webm"
    broken.write_bytes(b"this is no video" * 100)
    with pytest.raises(BadInputError) as refused:
        list(decode_file(broken))
    assert refused.value.code == "speech.bad_file"
    silent = tmp_path / "silent.mkv"
    with av.open(str(silent), "w") as container:
        stream = container.add_stream("libvpx", rate=10)
        stream.width = stream.height = 64
        for number in range(3):
            frame = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), dtype=np.uint8), format="rgb24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(BadInputError):
        list(decode_file(silent))
