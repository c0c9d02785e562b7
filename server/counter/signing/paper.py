"""Drawing documents: agreement to sign, and voucher. Pure: facts in, PDF out. Blocks for about half a second."""

import io
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from xml.sax.saxutils import escape

import segno
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_CENTER
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Image, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from core.pdf_fonts import document_font

BANK_TIME = timezone(timedelta(hours=8))
_INK, _SOFT, _LINE = HexColor("#1f2a37"), HexColor("#5b6673"), HexColor("#c9d1da")


@dataclass(frozen=True, slots=True)
class Paper:
    """What a document says.

    Attributes:
        lines: Label and value, in order. notices: Sentences below. code: Verification code.
        verify_url: Where the code can be checked; in the QR code.
    """

    title: str
    subtitle: str
    lines: tuple[tuple[str, str], ...]
    notices_title: str
    notices: tuple[str, ...]
    code_label: str
    code: str
    verify_url: str
    footer: str
    signature_label: str = ""


def draw(paper: Paper) -> bytes:
    """The PDF, A4."""
    rows = [text for pair in paper.lines for text in pair]
    texts = [paper.title, paper.subtitle, paper.notices_title, paper.code_label, paper.footer, paper.signature_label]
    target = io.BytesIO()
    document = SimpleDocTemplate(
        target,
        pagesize=A4,
        leftMargin=22 * mm,
        rightMargin=22 * mm,
        topMargin=20 * mm,
        bottomMargin=(42 if paper.signature_label else 20) * mm,
    )
    document.title, document.author = paper.title, "AirCounter"
    with document_font("".join([*texts, *rows, *paper.notices, paper.code])) as font:
        document.build(_story(paper, font))
    return target.getvalue()


def _story(paper: Paper, font: str) -> list[object]:
    def style(size: float, **more: object) -> ParagraphStyle:
        settings = {"fontName": font, "fontSize": size, "leading": size * 1.5, "textColor": _INK, "wordWrap": "CJK"}
        return ParagraphStyle("s", **{**settings, **more})

    body, soft = style(11.5), style(10, textColor=_SOFT)
    table = Table(
        [[Paragraph(escape(label), soft), Paragraph(escape(value), body)] for label, value in paper.lines],
        colWidths=[45 * mm, 121 * mm],
    )
    rules = [("LINEBELOW", (0, 0), (-1, -1), 0.5, _LINE), ("VALIGN", (0, 0), (-1, -1), "MIDDLE")]
    table.setStyle(TableStyle([*rules, ("TOPPADDING", (0, 0), (-1, -1), 5), ("BOTTOMPADDING", (0, 0), (-1, -1), 5)]))
    picture = io.BytesIO()
    segno.make(paper.verify_url, error="m").save(picture, kind="png", scale=6, border=1)
    picture.seek(0)
    code = Table(
        [
            [
                Image(picture, 26 * mm, 26 * mm),
                [
                    Paragraph(escape(paper.code_label), soft),
                    Paragraph(escape(paper.code), style(14)),
                    Paragraph(escape(paper.footer), style(8.5, textColor=_SOFT)),
                ],
            ]
        ],
        colWidths=[32 * mm, 134 * mm],
    )
    story: list[object] = [
        Paragraph(escape(paper.title), style(20, alignment=TA_CENTER)),
        Paragraph(escape(paper.subtitle), style(10, alignment=TA_CENTER, textColor=_SOFT)),
        Spacer(1, 7 * mm),
        table,
        Spacer(1, 7 * mm),
        Paragraph(escape(paper.notices_title), style(12)),
        *(Paragraph(f"{number}. {escape(text)}", body) for number, text in enumerate(paper.notices, 1)),
        Spacer(1, 7 * mm),
        code,
    ]
    if paper.signature_label:
        story += [Spacer(1, 6 * mm), Paragraph(escape(paper.signature_label), soft)]
    return story


def yuan(amount_fen: int) -> str:
    """``80,000.00 元``."""
    return f"{amount_fen // 100:,}.{amount_fen % 100:02d} 元"


def bank_time(at: datetime) -> str:
    """As printed: the bank's time to the second."""
    return at.astimezone(BANK_TIME).strftime("%Y-%m-%d %H:%M:%S")
