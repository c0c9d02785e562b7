"""Reports as CSV and XLSX."""

import csv
import io
from collections.abc import Sequence

import xlsxwriter

from server.statistics.schemas import StatsFigures, StatsReport

_HEAD: tuple[tuple[str, str], ...] = (
    ("offered", "来电"),
    ("answered", "接听"),
    ("abandoned", "放弃"),
    ("short_abandoned", "短时放弃"),
    ("service_level", "20秒服务水平"),
    ("answer_rate", "接通率"),
    ("abandon_rate", "放弃率"),
    ("asa_s", "平均应答(秒)"),
    ("ewt_error_s", "预计等候误差(秒)"),
    ("aht_s", "平均处理(秒)"),
    ("talk_s", "通话(秒)"),
    ("hold_s", "保持(秒)"),
    ("wrap_s", "话后(秒)"),
    ("occupancy", "占用率"),
    ("fcr", "一次解决率"),
    ("satisfaction", "满意率"),
    ("stars", "平均星级"),
    ("response_rate", "评价率"),
    ("overtime", "超时限"),
    ("overtime_rate", "超时限率"),
)
_SHARES = frozenset(
    {
        "service_level",
        "answer_rate",
        "abandon_rate",
        "occupancy",
        "fcr",
        "satisfaction",
        "response_rate",
        "overtime_rate",
    }
)
Cell = str | int | float | None


def _line(label: str, figures: StatsFigures) -> list[Cell]:
    return [label, *(_rounded(name, getattr(figures, name)) for name, _ in _HEAD)]


def _rounded(name: str, value: int | float | None) -> Cell:
    return value if value is None or isinstance(value, int) else round(value, 4 if name in _SHARES else 1)


def table(report: StatsReport) -> list[list[Cell]]:
    """Header, a line per row, and the total."""
    head: list[Cell] = ["", *(title for _, title in _HEAD)]
    lines = [_line(row.label_zh, row.figures) for row in report.rows]
    return [head, *lines, _line("合计", report.total)]


def as_csv(report: StatsReport) -> bytes:
    """With a mark by which spreadsheets know UTF-8."""
    text = io.StringIO()
    csv.writer(text).writerows([_harmless(line) for line in table(report)])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _harmless(line: Sequence[Cell]) -> list[Cell]:
    """A name that begins like a formula must not become one."""
    return [f"'{cell}" if isinstance(cell, str) and cell[:1] in "=+-@" and cell else cell for cell in line]


def as_xlsx(report: StatsReport) -> bytes:
    """One sheet with shares as percent."""
    target = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    book = xlsxwriter.Workbook(target, options)
    bold, share = book.add_format({"bold": True, "bottom": 1}), book.add_format({"num_format": "0.0%"})
    sheet = book.add_worksheet(f"{report.since} – {report.until}"[:31])
    sheet.freeze_panes(1, 1)
    sheet.set_column(0, 0, 20)
    sheet.set_column(1, len(_HEAD), 13)
    for row, line in enumerate(table(report)):
        for column, cell in enumerate(line):
            style = bold if row == 0 else share if column and _HEAD[column - 1][0] in _SHARES else None
            if cell is not None:
                sheet.write(row, column, cell, style)
    book.close()
    return target.getvalue()
