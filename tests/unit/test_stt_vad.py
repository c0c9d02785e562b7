"""Cutting utterances: pure, with a scripted voice model."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from qa.stt.vad import FRAME, FRAME_S, Closed, CutConfig, Opened, Segmenter, UtteranceCutter, Voiced, gather

CONFIG = CutConfig()


def borders(probabilities: Sequence[float], config: CutConfig = CONFIG) -> list[Opened | Closed]:
    segmenter = Segmenter(config)
    found = [border for p in probabilities if (border := segmenter.step(p)) is not None]
    last = segmenter.finish()
    return [*found, last] if last else found


def frames(*spans: tuple[float, float]) -> list[float]:
    """(probability, seconds) spans to probabilities per frame."""
    return [p for p, seconds in spans for _ in range(round(seconds / FRAME_S))]


def test_a_sentence_is_padded_on_both_sides() -> None:
    opened, closed = borders(frames((0, 1), (1, 1), (0, 1)))
    assert opened.frame * FRAME_S == pytest.approx(1 - CONFIG.pad_s, abs=2 * FRAME_S)
    assert closed.frame * FRAME_S == pytest.approx(2 + CONFIG.pad_s, abs=2 * FRAME_S)


def test_a_short_pause_stays_inside_and_a_long_one_separates() -> None:
    assert len(borders(frames((0, 1), (1, 1), (0, 0.4), (1, 1), (0, 1)))) == 2
    assert len(borders(frames((0, 1), (1, 1), (0, 0.8), (1, 1), (0, 1)))) == 4


def test_a_click_is_no_speech_but_a_syllable_is() -> None:
    assert borders(frames((0, 1), (1, 0.064), (0, 1))) == []
    assert len(borders(frames((0, 1), (1, 0.2), (0, 1)))) == 2


def test_uncertain_frames_keep_speech_open_but_do_not_open_it() -> None:
    assert borders(frames((0.4, 2))) == []
    opened, closed = borders(frames((0, 1), (1, 0.5), (0.4, 1), (0, 1)))
    assert (closed.frame - opened.frame) * FRAME_S > 1.4


def test_long_speech_ends_at_a_breath_and_endless_speech_is_cut() -> None:
    breath = borders(frames((1, 8.5), (0, 0.3), (1, 2), (0, 1)))
    assert len(breath) == 4
    endless = borders(frames((1, 40)))
    lengths = [(c.frame - o.frame) * FRAME_S for o, c in zip(endless[::2], endless[1::2], strict=True)]
    assert max(lengths) <= CONFIG.max_s + FRAME_S
    assert sum(lengths) == pytest.approx(40, abs=0.2)


@given(st.lists(st.sampled_from([0.0, 0.4, 0.6, 1.0]), max_size=1500))
def test_utterances_never_overlap_and_never_leave_the_stream(probabilities: list[float]) -> None:
    found = borders(probabilities)
    assert all(isinstance(border, Opened) for border in found[::2])
    assert all(isinstance(border, Closed) for border in found[1::2])
    places = [border.frame for border in found]
    assert len(places) % 2 == 0
    assert places == sorted(places)
    assert all(0 <= place <= len(probabilities) for place in places)


class LoudIsSpeech:
    """A voice model that takes the first sample of a frame for the probability in percent."""

    def __init__(self) -> None:
        self.resets = 0

    def probabilities(self, pcm: NDArray[np.int16]) -> NDArray[np.float32]:
        return pcm.reshape(-1, FRAME)[:, 0].astype(np.float32) / 100

    def reset(self) -> None:
        self.resets += 1


def sound(*spans: tuple[float, float]) -> NDArray[np.int16]:
    return np.repeat(np.array(frames(*spans)) * 100, FRAME).astype(np.int16)


def run(cutter: UtteranceCutter, pcm: NDArray[np.int16], step: int, start: int = 0) -> list[Voiced]:
    return [piece for at in range(0, len(pcm), step) for piece in cutter.feed(start + at, pcm[at : at + step])]


@given(st.integers(min_value=100, max_value=9000))
def test_pieces_do_not_depend_on_how_samples_arrive(step: int) -> None:
    pcm = sound((0, 1), (1, 1), (0, 1), (1, 0.5), (0, 0.3), (1, 0.5), (0, 1))
    whole, split = UtteranceCutter(LoudIsSpeech()), UtteranceCutter(LoudIsSpeech())
    expected = list(gather(iter([*run(whole, pcm, len(pcm)), *whole.finish()])))
    found = list(gather(iter([*run(split, pcm, step), *split.finish()])))
    assert len(expected) == 2
    assert [start for start, _ in found] == [start for start, _ in expected]
    for (start, one), (_, other) in zip(found, expected, strict=True):
        assert np.array_equal(one, other)
        assert np.array_equal(one, pcm[start : start + len(one)])


def test_trailing_silence_is_never_handed_out() -> None:
    cutter = UtteranceCutter(LoudIsSpeech())
    pieces = [*run(cutter, sound((0, 0.5), (1, 1), (0, 5)), 1600), *cutter.finish()]
    assert sum(len(piece.pcm) for piece in pieces) / 16_000 < 1 + 2 * CONFIG.pad_s + 2 * FRAME_S


def test_a_jump_of_the_position_ends_the_utterance_and_keeps_time() -> None:
    model = LoudIsSpeech()
    cutter = UtteranceCutter(model)
    before = run(cutter, sound((0, 1), (1, 1)), 320)
    after = run(cutter, sound((0, 1), (1, 1), (0, 1)), 320, start=16_000 * 600)
    utterances = list(gather(iter([*before, *after, *cutter.finish()])))
    assert [round(start / 16_000) for start, _ in utterances] == [1, 601]
    assert model.resets == 2


def test_a_few_lost_milliseconds_do_not_end_a_sentence() -> None:
    cutter = UtteranceCutter(LoudIsSpeech())
    pieces = run(cutter, sound((0, 1), (1, 1)), 320)
    pieces += run(cutter, sound((1, 1), (0, 1)), 320, start=cutter.position + 320)
    assert len(list(gather(iter([*pieces, *cutter.finish()])))) == 1
