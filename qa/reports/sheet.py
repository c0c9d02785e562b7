"""Reports as spreadsheets: XLSX with all figures, CSV of one list."""

import csv
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any

import xlsxwriter

from qa.reports.facts import BANK_TIME
from qa.reports.schemas import GroupView, ReportRow, ReportView, TrendRow, TrendView

Cell = str | int | float | None
CATEGORY_ZH = {"entry_error": "录入差错", "operation": "操作不规范", "verification": "核验不到位", "other": "其他"}
STATE_ZH = {
    "submitted": "已评分", "released": "已发布", "acknowledged": "已确认", "appealed": "申诉中", "final": "已终审",
    "open": "待提交佐证", "proven": "待复查", "effective": "整改有效", "confirmed": "已确认", "rejected": "已驳回",
}  # fmt: skip
KIND_ZH = {"missing": "缺少", "forbidden": "违规", "danger": "风险"}
TREND_ZH = {
    "quality": "质量趋势", "teller": "柜员趋势", "team": "团队趋势", "business": "业务趋势", "defect": "缺陷趋势",
    "rule": "规则趋势",
}  # fmt: skip
_QUALITY_ZH = {"passed": "合格", "fatal": "一票否决", "upheld": "申诉成立", "on_time": "整改按时"}
_RATES = ("质检数", "平均分", "合格数", "合格率%", "一票否决数", "一票否决率%", "申诉数", "申诉成立数", "申诉成立率%")
_ROW = ("通话编号", "业务", "柜员", "团队", "质检员", "时间", "状态", "得分", "一票否决", "说明")


def workbook(
    report: ReportView, rows: Sequence[ReportRow], rectified: Sequence[ReportRow], trends: Sequence[TrendView]
) -> bytes:
    """All figures, a sheet each, and the evaluations and rectifications behind them."""
    target = io.BytesIO()
    # What people typed stays text: never a formula, never a link.
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(target, options)
    bold = book.add_format({"bold": True, "bottom": 1})

    def page(title: str, header: Sequence[str], lines: Iterable[Sequence[Cell]]) -> None:
        sheet = book.add_worksheet(title)
        sheet.freeze_panes(1, 0)
        sheet.set_column(0, 0, 22)
        sheet.set_column(1, len(header) - 1, 12)
        sheet.write_row(0, 0, header, bold)
        for at, line in enumerate(lines, start=1):
            sheet.write_row(at, 0, line)

    totals = report.totals.model_dump()
    page("汇总", ("指标", "数值"), [("起", str(report.first)), ("止", str(report.last)), *_named(totals, report)])
    page("趋势", ("起", "止", *_RATES), [(str(b.first), str(b.last), *_rates(b.model_dump())) for b in report.trend])
    for one in trends:
        page(TREND_ZH[one.by], _trend_header(one), _trend_lines(one))
    page("柜员", ("柜员", "团队", *_RATES), [(g.name, g.team, *_rates(g.model_dump())) for g in report.tellers])
    page("团队", ("团队", *_RATES), _groups(report.teams))
    page("业务", ("业务", *_RATES), _groups(report.businesses))
    page("缺陷分类", ("类别", "数量", "占比%"), [(CATEGORY_ZH[d.category], d.count, d.share) for d in report.defects])
    page(
        "缺陷项目",
        ("项目", "类别", "数量", "扣分合计"),
        [(i.title_zh, CATEGORY_ZH.get(i.category, i.category), i.count, i.lost) for i in report.items],
    )
    page(
        "规则",
        ("规则", "类型", "命中", "确认", "驳回", "准确率%"),
        [(r.label_zh, KIND_ZH.get(r.kind, r.kind), r.hits, r.confirmed, r.rejected, r.precision) for r in report.rules],
    )
    page(
        "质检员",
        ("质检员", "质检数", "平均分", "合格率%", "按时率%", "逾期", "已裁决申诉", "申诉成立", "申诉成立率%"),
        [
            (i.name, i.inspected, i.average, i.pass_rate, i.on_time_rate, i.late, i.decided, i.upheld, i.upheld_rate)
            for i in report.inspectors
        ],
    )
    page("明细", _ROW, [_line(row) for row in rows])
    page("整改明细", _ROW, [_line(row) for row in rectified])
    book.close()
    return target.getvalue()


def trend_name(trend: TrendView, row: TrendRow) -> str:
    """What a trend's row is called."""
    named = {"quality": _QUALITY_ZH, "defect": CATEGORY_ZH}.get(trend.by, {})
    return named.get(row.key, row.name_zh) or "（无）"


def _trend_header(trend: TrendView) -> list[str]:
    days = [
        f"{span.first:%m-%d}" if span.first == span.last else f"{span.first:%m-%d}—{span.last:%m-%d}"
        for span in trend.spans
    ]
    return ["", *(part for day in days for part in (day, f"{day} 率%"))]


def _trend_lines(trend: TrendView) -> list[list[Cell]]:
    return [
        [trend_name(trend, row), *(part for cell in row.cells for part in (cell.count, cell.rate))]
        for row in trend.rows
    ]


def csv_rows(rows: Iterable[ReportRow]) -> bytes:
    """A list as CSV. A cell that a spreadsheet would take for a formula is marked as text."""
    target = io.StringIO()
    writer = csv.writer(target)
    writer.writerow(_ROW)
    for row in rows:
        writer.writerow([_harmless(cell) for cell in _line(row)])
    return target.getvalue().encode("utf-8-sig")


def _harmless(cell: Cell) -> Cell:
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell


def _line(row: ReportRow) -> list[Cell]:
    return [
        row.number,
        row.business_code,
        row.teller_name,
        row.team,
        row.inspector_name,
        _local(row.at),
        STATE_ZH.get(row.state, row.state),
        row.score,
        "是" if row.fatal else "",
        row.note,
    ]


def _local(at: datetime | None) -> str:
    return "" if at is None else (at.astimezone(UTC) + BANK_TIME).strftime("%Y-%m-%d %H:%M")


def _rates(figures: dict[str, Any]) -> list[Cell]:
    names = ("inspected", "average", "passed", "pass_rate", "fatal", "fatal_rate", "appealed", "upheld", "upheld_rate")
    return [figures[name] for name in names]


def _groups(groups: Iterable[GroupView]) -> list[list[Cell]]:
    return [[group.name, *_rates(group.model_dump())] for group in groups]


def _named(totals: dict[str, Any], report: ReportView) -> list[tuple[str, Cell]]:
    rectified = report.rectifications
    return [
        *zip(_RATES, _rates(totals), strict=True),
        ("整改数", rectified.opened),
        ("整改有效数", rectified.effective),
        ("整改按时率%", rectified.on_time_rate),
        ("整改逾期未交", rectified.overdue),
    ]
