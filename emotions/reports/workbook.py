"""XLSX: one sheet per table, a frozen header, typed cells. Texts are texts, whatever they look like."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import xlsxwriter
from django.utils import timezone

from classroom.models import ClassSession
from emotions.reports.cells import harmless
from emotions.reports.tables import Cell, Table, tables

# Nothing of it passes through a file: names would lie on a disk for a moment, and longer where the process dies. It
# takes some 300 bytes a cell, so a report of a thousand lines some megabytes. No text becomes a formula, a link or
# a number by itself.
OPTIONS = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
FRACTIONS = ("share_", "low_", "high_", "known")


def workbook(session: ClassSession) -> bytes:
    """The whole report of a session as one file. Times are the school's, which spreadsheets know no zone for."""
    return written(tables(session))


def written(sheets: Sequence[Table]) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, OPTIONS) as book:
        formats = {
            "header": book.add_format({"bold": True, "bottom": 1}),
            "time": book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"}),
            "fraction": book.add_format({"num_format": "0.0%"}),
        }
        for table in sheets:
            _sheet(book, table, formats)
    return out.getvalue()


def _sheet(book: Any, table: Table, formats: dict[str, Any]) -> None:
    sheet = book.add_worksheet(table.name)
    sheet.freeze_panes(1, 1)
    sheet.set_row(0, None, formats["header"])
    sheet.set_column(0, 0, 22)
    sheet.set_column(1, len(table.columns) - 1, 18 if len(table.columns) < 8 else 14)
    for place, name in enumerate(table.columns):
        sheet.write_string(0, place, name, formats["header"])
    for number, row in enumerate(table.rows, start=1):
        for place, value in enumerate(row):
            _write(sheet, number, place, value, _format(table.columns[place], formats), formats["time"])


def _format(column: str, formats: dict[str, Any]) -> Any:
    return formats["fraction"] if column.startswith(FRACTIONS) else None


def _write(sheet: Any, row: int, place: int, value: Cell, form: Any, time_form: Any) -> None:
    if isinstance(value, datetime):
        sheet.write_datetime(row, place, timezone.localtime(value).replace(tzinfo=None), time_form)
    elif isinstance(value, str):
        sheet.write_string(row, place, harmless(value))
    elif value is not None:
        sheet.write_number(row, place, value, form)
