"""What a handed-in file really is: its content decides, never its name. Pure, but slow for large pictures."""

import io
import re
from dataclasses import dataclass

from PIL import Image, ImageOps

from core.errors import BadInputError

MAX_B = 10 * 1024 * 1024
MAX_PIXELS = 50_000_000
LEAST_PX = 200
THUMBNAIL_PX = 320

_MAGIC = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG\r\n\x1a\n", "image/png"), (b"%PDF-", "application/pdf"))
_PAGES = re.compile(rb"/Type\s*/Page[^s]")
_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_ACTIVE = re.compile(rb"/(?:JavaScript|JS|Launch|EmbeddedFile|OpenAction|AA|RichMedia)\b")


@dataclass(frozen=True, slots=True)
class SeenFile:
    """A file that may be kept. `thumbnail`: a small JPEG; of a PDF there is none (empty)."""

    content_type: str
    pages: int
    thumbnail: bytes


def look_at(content: bytes, declared: str) -> SeenFile:
    """Judge a file by its content.

    Raises:
        BadInputError: ``document.empty``, ``document.too_large``, ``document.type`` (none of JPEG, PNG, PDF, or not
            what it says it is), ``document.unreadable`` (damaged, or too small to read), ``document.active`` (a PDF
            with scripts or embedded files).
    """
    if not content:
        raise BadInputError("the file is empty", code="document.empty")
    if len(content) > MAX_B:
        raise BadInputError("the file is too large", code="document.too_large", max_b=MAX_B)
    kind = next((name for magic, name in _MAGIC if content.startswith(magic)), None)
    if kind is None or kind != declared:
        raise BadInputError("only JPEG, PNG and PDF files can be taken", code="document.type")
    return _pdf(content) if kind == "application/pdf" else _picture(content, kind)


def _pdf(content: bytes) -> SeenFile:
    # A name may be written with escapes: /J#61vaScript is /JavaScript (ISO 32000-1, 7.3.5).
    plain = _ESCAPE.sub(lambda escape: bytes.fromhex(escape[1].decode()), content)
    if _ACTIVE.search(content) or _ACTIVE.search(plain):
        raise BadInputError("this PDF carries scripts or other files", code="document.active")
    if b"%%EOF" not in content[-2048:]:
        raise BadInputError("this PDF is damaged", code="document.unreadable")
    return SeenFile("application/pdf", max(1, len(_PAGES.findall(content))), b"")


def _picture(content: bytes, kind: str) -> SeenFile:
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG", "PNG")) as opened:
            if opened.width * opened.height > MAX_PIXELS or min(opened.size) < LEAST_PX:
                raise BadInputError("the picture is too small or too large", code="document.unreadable")
            image = ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError) as error:
        raise BadInputError("the picture is damaged", code="document.unreadable") from error
    image.thumbnail((THUMBNAIL_PX, THUMBNAIL_PX))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=80)
    return SeenFile(kind, 1, out.getvalue())
