"""A CSV file, as programs for tables write it: with or without a byte order mark, with commas, semicolons or tabs.

A row that cannot be read costs that row and no other: bytes that are not of the encoding are let pass and told where
they are needed, and so are rows with too many or too few columns.
"""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from service.adapters.older_gallery.source import OlderGallery
from service.application.imports_rows import RawRow, SourceBroken, map_columns
from service.domain.errors import InvalidField

if TYPE_CHECKING:
    import _csv  # the reader's type has no other name

MAX_FIELD_CHARACTERS = 1_000_000
_DELIMITERS = ",;\t"
_UNDECODED = re.compile("[\ud800-\udfff]")
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_COUNTED_BYTES = 2**20


@asynccontextmanager
async def open_csv(path: Path, chosen: Mapping[str, str], *, encoding: str = "") -> AsyncIterator[OlderGallery]:
    """The names of columns stand in the first line. Without ``encoding`` it is UTF-8, or UTF-16 where a mark says so.

    Raises InvalidField, OSError.
    """
    try:
        codecs.lookup(encoding or "utf-8")
    except LookupError as error:
        raise InvalidField("encoding", f"{encoding!r} is no encoding that is known, such as cp1251") from error
    csv.field_size_limit(MAX_FIELD_CHARACTERS)
    name = encoding or _marked_encoding(path)
    with path.open(encoding=name, errors="surrogateescape", newline="") as file:
        try:
            header = _header(file)
            columns = map_columns(header.names, chosen)
        except (UnicodeError, csv.Error) as error:
            raise InvalidField("from", f"{path} is not a CSV file in {name.upper()}: {error}") from error
        rows = csv.reader(file, delimiter=header.delimiter, strict=True)
        yield OlderGallery(columns, _lines(path, name), _rows(rows, header, columns, name))


class _Header:
    def __init__(self, names: Sequence[str], delimiter: str) -> None:
        self.names = names
        self.delimiter = delimiter


def _marked_encoding(path: Path) -> str:
    with path.open("rb") as file:
        beginning = file.read(2)
    return "utf-16" if beginning in _UTF_16 else "utf-8-sig"


def _header(file: TextIO) -> _Header:
    line = file.readline(MAX_FIELD_CHARACTERS)
    delimiter = max(_DELIMITERS, key=line.count)
    names = next(csv.reader([line], delimiter=delimiter, strict=True), [])
    if repeated := {each for each in names if names.count(each) > 1}:
        raise InvalidField("from", f"two columns have the name {min(repeated)!r}")
    return _Header([each.strip() for each in names], delimiter)


def _lines(path: Path, encoding: str) -> int | None:
    """How many lines there are below the first, which is about how many rows; None where that is not easily told."""
    if encoding.startswith("utf-16") or not path.is_file():
        return None
    with path.open("rb") as file:
        return max(0, sum(part.count(b"\n") for part in iter(lambda: file.read(_COUNTED_BYTES), b"")) - 1)


async def _rows(
    rows: _csv.Reader, header: _Header, columns: Mapping[str, Sequence[str]], encoding: str
) -> AsyncIterator[RawRow]:
    number = 0
    needed = {each for group in columns.values() for each in group}
    while True:
        line = rows.line_num + 2  # with the header, and from 1
        try:
            cells = next(rows, None)
        except csv.Error as error:
            number += 1
            yield RawRow(number, {}, f"is not CSV from line {line} on: {error}")
            continue
        except (OSError, UnicodeError) as error:
            raise SourceBroken(f"the file cannot be read beyond row {number}: {error}") from error
        if cells is None:
            return
        if not cells:  # an empty line
            continue
        number += 1
        values = dict(zip(header.names, cells, strict=False))
        yield RawRow(number, values, _problem(cells, values, header, needed, encoding))


def _problem(
    cells: Sequence[str], values: Mapping[str, str], header: _Header, needed: set[str], encoding: str
) -> str:
    if len(cells) != len(header.names):
        return f"has {len(cells)} columns, and the first line names {len(header.names)}"
    if undecoded := [each for each in header.names if each in needed and _UNDECODED.search(values[each])]:
        return f"{undecoded[0]}: is not {encoding.removesuffix('-sig').upper()}; say what it is with --encoding"
    return ""
