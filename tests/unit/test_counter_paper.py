"""Documents carry every character they show, one document after the other and several at once."""

import re
from concurrent.futures import ThreadPoolExecutor

from reportlab.pdfbase import pdfmetrics

from core.pdf_fonts import document_font
from server.counter.signing.paper import Paper, draw

TITLES = ("密码重置申请书", "转账汇款申请书", "账户信息变更申请书", "理财签约申请书")


def paper(title: str, name: str) -> Paper:
    """A document about nothing but its words."""
    return Paper(
        title, "空中柜面", (("姓名", name),), "重要提示", ("请核对。",), "验证码", "AB-12", "http://x", "页脚", "签名"
    )


def test_a_later_document_has_its_own_characters() -> None:
    for text in ("密码重置王小明", "转账汇款李华"):
        with document_font(text) as name:
            known = pdfmetrics.getFont(name).face.charToGlyph
            assert [character for character in text if ord(character) not in known] == []


def widths(pdf: bytes) -> list[bytes]:
    """The width tables of the embedded fonts: a character that is missing has another width."""
    return sorted(re.findall(rb"/Widths\s*\[(.*?)\]", pdf, re.S))


def test_documents_drawn_at_once_are_the_same_as_alone() -> None:
    alone = [widths(draw(paper(title, "欧阳娜娜"))) for title in TITLES]
    with ThreadPoolExecutor(4) as pool:
        together = [widths(pdf) for pdf in pool.map(lambda title: draw(paper(title, "欧阳娜娜")), TITLES)]
    assert all(alone)
    assert together == alone
