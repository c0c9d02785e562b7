"""1:1 comparison of faces on this machine, with dlib: an optional extra (``pip install aircounter[face]``).

Detection: histogram of oriented gradients; description: 128 numbers from the ResNet of ``face-recognition-models``
(King 2017, 99.38 % on Labeled Faces in the Wild at 0.6). Pictures never leave the process.
"""

import asyncio
import importlib.util
import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from core.errors import UnavailableError
from core.ports.identity import FaceVerdict

ENGINE = "dlib-resnet-v1"
MATCH_DISTANCE = 0.5  # stricter than the 0.6 its authors use: a stranger let in costs more than another look
SURE_SCORE = 0.5  # of the detector; below it are patterns that only look like a face
ALONE = 4  # somebody in the background, whose face is less than a quarter as large, does not count
LONGEST_PX = 1280

Face = NDArray[np.float64]


def verdict_of(card: Face | None, person: Face | None) -> FaceVerdict:
    """What two descriptions say; None: the picture shows no single face."""
    if card is None or person is None:
        return FaceVerdict("unknown", None, ENGINE)
    distance = float(np.linalg.norm(card - person))
    likeness = round(max(0.0, 1.0 - distance), 3)
    return FaceVerdict("match" if distance <= MATCH_DISTANCE else "no_match", likeness, ENGINE)


class LocalFaces:
    """Implements `core.ports.identity.FaceMatcher`."""

    def __init__(self) -> None:
        """Raises UnavailableError ``face.not_installed`` without the extra."""
        found = importlib.util.find_spec("face_recognition_models")
        if found is None or found.origin is None or importlib.util.find_spec("dlib") is None:
            raise UnavailableError(
                "install the extra aircounter[face] to compare faces here", code="face.not_installed"
            )
        # The package's own code needs a part of setuptools that is gone; only its files are wanted.
        self._folder = Path(found.origin).parent / "models"
        self._models: tuple[Any, Any, Any] | None = None
        self._looking = ThreadPoolExecutor(max_workers=1, thread_name_prefix="faces")

    async def compare(self, card: bytes, person: bytes) -> FaceVerdict:
        """Two JPEG pictures, one after the other in a thread of its own: about 0.3 s CPU each."""
        loop = asyncio.get_running_loop()
        first = await loop.run_in_executor(self._looking, self._describe, card)
        return verdict_of(first, await loop.run_in_executor(self._looking, self._describe, person))

    def _describe(self, picture: bytes) -> Face | None:
        detector, shape, describe = self._models = self._models or self._load()
        with Image.open(io.BytesIO(picture)) as opened:
            image = ImageOps.exif_transpose(opened).convert("RGB")
        image.thumbnail((LONGEST_PX, LONGEST_PX))
        pixels = np.asarray(image)
        areas, scores, _ = detector.run(pixels, 1, 0.0)
        largest = max((area.area() for area in areas), default=0)
        faces = [
            area
            for area, score in zip(areas, scores, strict=True)
            if score > SURE_SCORE and area.area() * ALONE >= largest
        ]
        if len(faces) != 1:
            return None
        return np.array(describe.compute_face_descriptor(pixels, shape(pixels, faces[0])))

    def _load(self) -> tuple[Any, Any, Any]:
        """Takes half a second and 100 MB, only where faces are compared."""
        import dlib

        return (
            dlib.get_frontal_face_detector(),
            dlib.shape_predictor(str(self._folder / "shape_predictor_5_face_landmarks.dat")),
            dlib.face_recognition_model_v1(str(self._folder / "dlib_face_recognition_resnet_model_v1.dat")),
        )
