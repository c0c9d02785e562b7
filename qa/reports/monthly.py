"""The monthly QA report as PDF, with its letters embedded: it looks and prints the same anywhere."""

import inspect
import io
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from reportlab.graphics.charts.barcharts import HorizontalBarChart
from reportlab.graphics.charts.lineplots import LinePlot
from reportlab.graphics.shapes import Drawing, String
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from core.pdf_fonts import FONT, document_font
from qa.reports import sheet
from qa.reports.facts import BANK_TIME
from qa.reports.schemas import ReportView, TrendBy, TrendView
from qa.reports.sheet import CATEGORY_ZH, trend_name

_ACCENT = colors.HexColor("#12606d")
_LINE = colors.HexColor("#d5dce2")
_SOFT = colors.HexColor("#4c5b67")
_WIDTH = A4[0] - 36 * mm
SHOWN = 25
"""Lines at most of each table: the whole lists are in the spreadsheet."""


def render(report: ReportView, trends: Mapping[TrendBy, TrendView], month: str, now: datetime) -> bytes:
    """The report of a month.

    Args:
        trends: By what their rows are: quality, team, business, defect, rule.
        month: ``2026-11``. now: Aware UTC, printed in the bank's time.
    """
    # Labels stand in the source of two modules, everything else in the figures.
    letters = [inspect.getsource(sys.modules[__name__]), inspect.getsource(sheet), report.model_dump_json()]
    with document_font("".join([*letters, *(trend.model_dump_json() for trend in trends.values())])):
        return _render(report, trends, month, now)


def _render(report: ReportView, trends: Mapping[TrendBy, TrendView], month: str, now: datetime) -> bytes:
    target = io.BytesIO()
    document = SimpleDocTemplate(
        target, pagesize=A4, leftMargin=18 * mm, rightMargin=18 * mm, topMargin=18 * mm, bottomMargin=16 * mm,
        title=f"质检月报 {month}", author="AirCounter",
    )  # fmt: skip
    made = (now + BANK_TIME).strftime("%Y-%m-%d %H:%M")
    scope = f"　范围：{report.scope}" if report.scope else ""
    story: list[Any] = [
        Paragraph(f"空中柜面质检月报　{month}", _style(18, _ACCENT)),
        Paragraph(f"{report.first} 至 {report.last}{scope}　生成时间 {made}", _style(9, _SOFT)),
        Spacer(1, 5 * mm),
        _figures(report),
        *_titled("合格率趋势（%）", _trend(report)),
        *_titled("质量逐周（数量 · 比率）", _weeks(trends["quality"])),
        *_titled("缺陷分类", _defects(report)),
        *_titled("缺陷逐周（通话数 · 占质检通话）", _weeks(trends["defect"])),
        *_titled("扣分最多的项目", _items(report)),
        *_titled("团队", _groups(report.teams)),
        *_titled("团队逐周（质检数 · 合格率）", _weeks(trends["team"])),
        *_titled("柜员", _groups(report.tellers)),
        *_titled("业务", _groups(report.businesses)),
        *_titled("业务逐周（质检数 · 合格率）", _weeks(trends["business"])),
        *_titled("质检员", _inspectors(report)),
        *_titled("规则准确率", _rules(report)),
        *_titled("规则逐周（命中 · 准确率）", _weeks(trends["rule"])),
    ]
    document.build(story, onFirstPage=_footer, onLaterPages=_footer)
    return target.getvalue()


def _style(size: float, color: colors.Color = colors.black) -> ParagraphStyle:
    return ParagraphStyle("p", fontName=FONT, fontSize=size, leading=size * 1.5, textColor=color, wordWrap="CJK")


def _titled(title: str, part: Any) -> list[Any]:
    return [Spacer(1, 5 * mm), Paragraph(title, _style(12, _ACCENT)), Spacer(1, 1.5 * mm), part]


def _number(value: float | int | None, unit: str = "") -> str:
    if value is None:
        return "—"
    return f"{value:g}{unit}" if isinstance(value, float) else f"{value}{unit}"


def _table(header: Sequence[str], lines: Sequence[Sequence[str]], widths: Sequence[float]) -> Any:
    if not lines:
        return Paragraph("本月没有数据。", _style(9, _SOFT))
    cells = [[Paragraph(cell, _style(8.5)) for cell in line] for line in lines[:SHOWN]]
    total = sum(widths)
    table = Table(
        [[Paragraph(cell, _style(8.5, _SOFT)) for cell in header], *cells],
        colWidths=[_WIDTH * width / total for width in widths],
        repeatRows=1,
    )
    table.setStyle(
        TableStyle(
            [
                ("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE),
                ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
                ("TOPPADDING", (0, 0), (-1, -1), 2),
                ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
            ]
        )
    )
    return table


def _figures(report: ReportView) -> Table:
    totals, rectified = report.totals, report.rectifications
    shown = [
        ("质检通话", _number(totals.inspected)),
        ("平均分", _number(totals.average)),
        ("合格率", _number(totals.pass_rate, "%")),
        ("一票否决率", _number(totals.fatal_rate, "%")),
        ("申诉成立率", _number(totals.upheld_rate, "%")),
        ("整改按时率", _number(rectified.on_time_rate, "%")),
    ]
    table = Table(
        [
            [Paragraph(value, _style(15, _ACCENT)) for _, value in shown],
            [Paragraph(name, _style(8.5, _SOFT)) for name, _ in shown],
        ],
        colWidths=[_WIDTH / len(shown)] * len(shown),
    )
    table.setStyle(TableStyle([("BOX", (0, 0), (-1, -1), 0.6, _LINE), ("LEFTPADDING", (0, 0), (-1, -1), 8)]))
    return table


def _trend(report: ReportView) -> Any:
    points = [(at, b.pass_rate) for at, b in enumerate(report.trend) if b.pass_rate is not None]
    if len(points) < 2:
        return Paragraph("有评分的日子少于两天，不画趋势。", _style(9, _SOFT))
    drawing = Drawing(_WIDTH, 120)
    plot = LinePlot()
    plot.x, plot.y, plot.width, plot.height = 24, 22, _WIDTH - 40, 88
    plot.data = [points]
    plot.lines[0].strokeColor, plot.lines[0].strokeWidth = _ACCENT, 1.6
    plot.yValueAxis.valueMin, plot.yValueAxis.valueMax, plot.yValueAxis.valueStep = 0, 100, 25
    plot.xValueAxis.valueMin, plot.xValueAxis.valueMax = 0, max(1, len(report.trend) - 1)
    days = [bucket.first.strftime("%m-%d") for bucket in report.trend]
    plot.xValueAxis.labelTextFormat = lambda at: days[min(int(at), len(days) - 1)]
    for axis in (plot.xValueAxis, plot.yValueAxis):
        axis.labels.fontName, axis.labels.fontSize = FONT, 7
    drawing.add(plot)
    return drawing


def _weeks(trend: TrendView) -> Any:
    header = ["", *(f"{span.first:%m-%d}" for span in trend.spans)]
    lines = [
        [
            trend_name(trend, row),
            *(f"{cell.count} · {_number(cell.rate, '%')}" if cell.count or cell.rate else "—" for cell in row.cells),
        ]
        for row in trend.rows
    ]
    return _table(header, lines, (3.2, *(1.6 for _ in trend.spans)))


def _defects(report: ReportView) -> Any:
    if not any(defect.count for defect in report.defects):
        return Paragraph("本月没有扣分。", _style(9, _SOFT))
    drawing = Drawing(_WIDTH, 96)
    chart = HorizontalBarChart()
    chart.x, chart.y, chart.width, chart.height = 70, 6, _WIDTH - 140, 84
    shown = list(reversed(report.defects))
    chart.data = [[defect.count for defect in shown]]
    chart.categoryAxis.categoryNames = [CATEGORY_ZH[defect.category] for defect in shown]
    chart.categoryAxis.labels.fontName, chart.categoryAxis.labels.fontSize = FONT, 8.5
    chart.valueAxis.valueMin, chart.valueAxis.visible = 0, False
    chart.bars[0].fillColor, chart.bars[0].strokeColor = _ACCENT, None
    drawing.add(chart)
    for at, defect in enumerate(shown):
        text = f"{defect.count}（{_number(defect.share, '%')}）"
        y = chart.y + chart.height * (at + 0.5) / len(shown) - 3
        drawing.add(String(_WIDTH - 64, y, text, fontName=FONT, fontSize=8.5))
    return drawing


def _items(report: ReportView) -> Any:
    lines = [
        [item.title_zh, CATEGORY_ZH.get(item.category, item.category), str(item.count), _number(item.lost)]
        for item in report.items
    ]
    return _table(("项目", "类别", "次数", "扣分合计"), lines, (5, 3, 1.5, 2))


def _groups(groups: Sequence[Any]) -> Any:
    lines = [
        [
            group.name or "（无）",
            str(group.inspected),
            _number(group.average),
            _number(group.pass_rate, "%"),
            _number(group.fatal_rate, "%"),
            str(group.appealed),
            _number(group.upheld_rate, "%"),
        ]
        for group in groups
    ]
    header = ("名称", "质检数", "平均分", "合格率", "一票否决率", "申诉", "成立率")
    return _table(header, lines, (3, 1.5, 1.5, 1.6, 2, 1.2, 1.6))


def _inspectors(report: ReportView) -> Any:
    lines = [
        [
            one.name,
            str(one.inspected),
            _number(one.average),
            _number(one.on_time_rate, "%"),
            _number(one.upheld_rate, "%"),
        ]
        for one in report.inspectors
    ]
    return _table(("质检员", "质检数", "平均分", "按时率", "申诉成立率"), lines, (3, 1.5, 1.5, 1.5, 2))


def _rules(report: ReportView) -> Any:
    lines = [
        [rule.label_zh, str(rule.hits), str(rule.confirmed), str(rule.rejected), _number(rule.precision, "%")]
        for rule in report.rules
    ]
    return _table(("规则", "命中", "确认", "驳回", "准确率"), lines, (5, 1.2, 1.2, 1.2, 1.6))


def _footer(canvas: Any, document: Any) -> None:
    canvas.saveState()
    canvas.setFont(FONT, 8)
    canvas.setFillColor(_SOFT)
    canvas.drawRightString(A4[0] - 18 * mm, 9 * mm, f"第 {document.page} 页")
    canvas.restoreState()
