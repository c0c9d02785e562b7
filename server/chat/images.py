"""Which pictures are taken: real ones of three kinds, of a sane size, whatever their name says."""

import io
import warnings
from dataclasses import dataclass

from PIL import Image, UnidentifiedImageError

from core.errors import BadInputError
from server.chat.schemas import MAX_IMAGE_B

KINDS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
MAX_PIXELS = 25_000_000


@dataclass(frozen=True, slots=True)
class Picture:
    """A checked image."""

    media_type: str
    width: int
    height: int


def check_image(data: bytes) -> Picture:
    """Decode the whole picture: what cannot be decoded is none. Runs in a thread, it takes milliseconds.

    Raises:
        BadInputError: ``chat.image_too_large``, ``chat.not_an_image``.
    """
    if len(data) > MAX_IMAGE_B:
        raise BadInputError("the picture is too large", code="chat.image_too_large", max_b=MAX_IMAGE_B)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=list(KINDS)) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise BadInputError("the picture is too large", code="chat.image_too_large", max_b=MAX_IMAGE_B)
                image.load()
                return Picture(KINDS[str(image.format)], image.width, image.height)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombWarning) as error:
        raise BadInputError("this is no picture", code="chat.not_an_image") from error
