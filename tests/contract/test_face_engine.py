"""The local face engine, where its extra is installed: finds one face, tells a person from no person."""

import importlib.util
import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from core.errors import UnavailableError
from server.counter.who.local_faces import LocalFaces, verdict_of

FACE = Path(__file__).resolve().parents[1] / "data" / "face.jpg"  # NASA portrait, public domain
INSTALLED = all(importlib.util.find_spec(name) for name in ("dlib", "face_recognition_models"))


def jpeg(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=85)
    return out.getvalue()


@pytest.mark.skipif(not INSTALLED, reason="the extra aircounter[face] is not installed")
async def test_compares_one_to_one() -> None:
    faces = LocalFaces()
    portrait = Image.open(FACE).convert("RGB")
    dark = jpeg(ImageOps.mirror(portrait).resize((380, 440)).point(lambda value: int(value * 0.6)))
    same = await faces.compare(jpeg(portrait), dark)
    assert (same.verdict, same.engine) == ("match", "dlib-resnet-v1")
    assert same.likeness is not None
    assert same.likeness > 0.5
    two = Image.new("RGB", (420, 240))
    two.paste(portrait, (0, 0))
    two.paste(portrait, (210, 0))
    nobody = Image.new("RGB", (640, 480), (120, 130, 140))
    for picture in (two, nobody):
        assert (await faces.compare(jpeg(portrait), jpeg(picture))).verdict == "unknown"


@pytest.mark.skipif(INSTALLED, reason="the extra aircounter[face] is installed")
def test_says_what_to_install() -> None:
    with pytest.raises(UnavailableError, match="aircounter") as refused:
        LocalFaces()
    assert refused.value.code == "face.not_installed"


@pytest.mark.parametrize(("apart", "verdict"), [(0.0, "match"), (0.5, "match"), (0.51, "no_match"), (1.4, "no_match")])
def test_the_distance_decides(apart: float, verdict: str) -> None:
    first, second = np.zeros(128), np.zeros(128)
    second[0] = apart
    seen = verdict_of(first, second)
    assert (seen.verdict, seen.likeness) == (verdict, round(max(0.0, 1 - apart), 3))
    assert verdict_of(first, None).verdict == "unknown"
