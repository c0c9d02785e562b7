"""Chinese text in PDF: Noto Sans SC, with the glyphs of the document embedded.

The font comes as OpenType with cubic outlines, which the PDF library does not embed. So the characters that are needed
are cut out and their outlines turned into quadratic ones; a document then carries its own letters and prints the same
anywhere.
"""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources

from fontTools import subset
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont, newTable
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont as PdfFont

FONT = "NotoSansSC"
_MAX_ERROR = 1.0  # thousandths of the letter's height: invisible
_ALWAYS = "".join(map(chr, range(0x20, 0x7F))) + "，。、；：？！“”‘’（）《》【】—…·￥¥→□√①②③④⑤"
_DROPPED = ("GSUB", "GPOS", "GDEF", "BASE", "VORG", "vhea", "vmtx", "DSIG")
_lock = threading.Lock()


@contextmanager
def document_font(text: str) -> Iterator[str]:
    """The name of a font that has every character of a text, for drawing one document. Takes about 0.2 s.

    One document at a time: the PDF library knows fonts by name, process-wide, and keeps the first of a name.
    """
    cut = _cut("".join(sorted(set(text) | set(_ALWAYS))))
    with _lock:
        font = PdfFont(FONT, io.BytesIO(cut))
        pdfmetrics.registerFont(font)
        try:
            yield FONT
        finally:
            font.unregister()


def _cut(text: str) -> bytes:
    file = resources.files("pylopdf_fonts_zh_cn") / "NotoSansSC-Regular.otf"
    options = subset.Options()
    options.layout_features, options.hinting, options.notdef_outline = [], False, True
    options.drop_tables += list(_DROPPED)
    with file.open("rb") as stream:
        font = TTFont(stream, lazy=True)
        cutter = subset.Subsetter(options)
        cutter.populate(text=text)
        cutter.subset(font)
        _to_quadratic(font)
        target = io.BytesIO()
        font.save(target)
    return target.getvalue()


def _to_quadratic(font: TTFont) -> None:
    order, outlines, glyphs = font.getGlyphOrder(), font.getGlyphSet(), {}
    for name in order:
        pen = TTGlyphPen(outlines)
        outlines[name].draw(Cu2QuPen(pen, _MAX_ERROR, reverse_direction=True))
        glyphs[name] = pen.glyph()
    font["loca"] = newTable("loca")
    table = font["glyf"] = newTable("glyf")
    table.glyphOrder, table.glyphs = order, glyphs
    del font["CFF "]
    table.compile(font)
    limits = font["maxp"]
    limits.tableVersion, limits.maxZones, limits.maxComponentElements = 0x00010000, 1, 0
    unused = ("TwilightPoints", "Storage", "FunctionDefs", "InstructionDefs", "StackElements", "SizeOfInstructions")
    for name in unused:
        setattr(limits, f"max{name}", 0)
    limits.compile(font)
    font["post"].formatType, font.sfntVersion = 3.0, "\0\1\0\0"
