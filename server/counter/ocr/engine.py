"""Reads ID cards from pictures with RapidOCR; its models are in its wheel. Slow: for the worker's executor only."""

import io
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from core.errors import BadInputError
from server.counter.ocr.card import Face, Line, Read, read_card

LONGEST_PX = 1600  # larger pictures take longer and are not read better
_one_at_a_time = threading.Lock()


@dataclass(frozen=True, slots=True)
class CardReading:
    """What was read of one side."""

    face: Face
    fields: dict[str, Read]


@lru_cache(maxsize=1)
def _recognizer() -> Any:
    from rapidocr import RapidOCR

    threads = {"EngineConfig.onnxruntime.intra_op_num_threads": 1, "EngineConfig.onnxruntime.inter_op_num_threads": 1}
    return RapidOCR(params={"Global.log_level": "warning", **threads})


def read_picture(picture: bytes, face: Face) -> CardReading:
    """Read one side; the picture may be turned. Takes about a second of CPU.

    Raises:
        BadInputError: ``document.unreadable``: it is no picture.
    """
    try:
        with Image.open(io.BytesIO(picture)) as opened:
            image = ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise BadInputError("this is no picture that can be read", code="document.unreadable") from error
    image.thumbnail((LONGEST_PX, LONGEST_PX))
    return CardReading(face, read_card(face, _lines(image)))


def _lines(image: Image.Image) -> list[Line]:
    with _one_at_a_time:
        seen = _recognizer()(np.asarray(image)[:, :, ::-1])
    if seen.boxes is None or seen.txts is None or seen.scores is None:
        return []
    lines = []
    boxes = [np.asarray(box, dtype=float) for box in seen.boxes]
    turn = _straight(skew_of(boxes))
    for slanted, text, score in zip(boxes, seen.txts, seen.scores, strict=True):
        box = slanted @ turn
        left, top = float(box[:, 0].min()), float(box[:, 1].min())
        width, height = float(box[:, 0].max()) - left, float(box[:, 1].max()) - top
        lines.append(Line(text, float(score), left, top, width, height))
    return lines


def skew_of(boxes: Sequence[NDArray[np.float64]]) -> float:
    """By how many radians the lines of a picture slant, between -45° and 45°: what is left over from quarter turns.

    Words are read well on a slant; which of them stand beside each other shows only when they are put straight.
    """
    if not boxes:
        return 0.0
    slants, lengths = [], []
    for box in boxes:
        edge = max((box[1] - box[0], box[2] - box[1]), key=lambda side: float(np.hypot(*side)))
        slants.append((np.arctan2(edge[1], edge[0]) + np.pi / 4) % (np.pi / 2) - np.pi / 4)
        lengths.append(float(np.hypot(*edge)))
    order = np.argsort(slants)  # the weighted median: long lines say most, stray marks nothing
    reached = np.cumsum(np.asarray(lengths)[order])
    return float(slants[order[int(np.searchsorted(reached, reached[-1] / 2))]])


def _straight(skew: float) -> NDArray[np.float64]:
    """Turns rows of points back by `skew`."""
    return np.array([[np.cos(skew), -np.sin(skew)], [np.sin(skew), np.cos(skew)]])
