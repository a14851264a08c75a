"""Answers of SQL: a table that fits, records below each other where it would not, JSON Lines, CSV."""

from __future__ import annotations

import csv
import itertools
import json
import math
import sys
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from rich.text import Text

from clients.cli.output import clean
from clients.cli.session import Session
from clients.cli.tables import bare_table
from clients.history.sql import Answer

MAX_TABLE_ROWS = 1000
_WIDE_CELL = 40


def print_table(answer: Answer, session: Session) -> None:
    """For people: up to MAX_TABLE_ROWS rows."""
    rows = list(itertools.islice(answer.rows, MAX_TABLE_ROWS + 1))
    shown = [[_cell(value) for value in row] for row in rows[:MAX_TABLE_ROWS]]
    widths = [
        max([len(name), *(min(len(row[index]), _WIDE_CELL) for row in shown)])
        for index, name in enumerate(answer.columns)
    ]
    if sum(widths) + 3 * len(widths) > session.out.width:
        _print_records(answer.columns, shown, session)
    else:
        table = bare_table(*answer.columns)
        for index, column in enumerate(table.columns):
            if any(isinstance(row[index], int | float | Decimal) for row in rows):
                column.justify = "right"
        for row in shown:
            table.add_row(*(Text(cell) for cell in row))
        session.out.print(table)
    if not rows:
        session.err.print("No rows.", style="dim")
    elif len(rows) > MAX_TABLE_ROWS:
        session.err.print(f"The first {MAX_TABLE_ROWS} rows; --csv and --json print all.", style="dim")


def _print_records(columns: tuple[str, ...], rows: list[list[str]], session: Session) -> None:
    widest = max(len(name) for name in columns)
    for row in rows:
        for name, cell in zip(columns, row, strict=True):
            session.out.print(Text.assemble((f"{name:>{widest}}  ", "dim"), cell), soft_wrap=True)
        session.out.print()


def print_json_lines(answer: Answer) -> None:
    """A JSON object for each row."""
    for row in answer.rows:
        record = {name: _plain(value) for name, value in zip(answer.columns, row, strict=True)}
        sys.stdout.write(json.dumps(record, ensure_ascii=False) + "\n")
    sys.stdout.flush()


def print_csv(answer: Answer) -> None:
    """A header and a line for each row; NULL is empty."""
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(answer.columns)
    for row in answer.rows:
        writer.writerow(["" if value is None else _plain(value) for value in row])
    sys.stdout.flush()


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case float():
            return f"{value:.6g}"
        case datetime():
            return value.isoformat(sep=" ", timespec="seconds").removesuffix("+00:00")
    return clean(str(value))


_PLAIN: Mapping[type, Callable[[Any], Any]] = {
    Decimal: float,
    date: date.isoformat,
    datetime: datetime.isoformat,
    timedelta: timedelta.total_seconds,
    bytes: bytes.hex,
    dict: lambda value: {str(key): _plain(each) for key, each in value.items()},
    list: lambda value: [_plain(each) for each in value],
    tuple: lambda value: [_plain(each) for each in value],
}


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return _PLAIN.get(type(value), str)(value)
