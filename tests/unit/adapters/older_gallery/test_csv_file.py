"""CSV files as they come: marks, separators, encodings, and rows that cannot be read among those that can."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from pathlib import Path

import pytest

from service.adapters.older_gallery import open_csv
from service.application.imports_rows import RawRow
from service.domain.errors import InvalidField

HEADER = "id,user_id,created_at,path,prompt"
ROW = "1,ann,2024-05-01,a.png,ёлка"


async def read(path: Path, chosen: Mapping[str, str] | None = None, encoding: str = "") -> list[RawRow]:
    async with open_csv(path, chosen or {}, encoding=encoding) as old:
        return [row async for row in old.rows]


async def read_text(folder: Path, *lines: str) -> list[RawRow]:
    (folder / "old.csv").write_text("\n".join(lines) + "\n")
    return await read(folder / "old.csv")


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (f"{HEADER}\n{ROW}\n".encode(), ""),
        (f"{HEADER}\r\n{ROW}\r\n".encode("utf-8-sig"), ""),
        (codecs.BOM_UTF16_LE + f"{HEADER}\n{ROW}\n".encode("utf-16-le"), ""),
        (f"{HEADER}\n{ROW}".encode("cp1251", "replace"), "cp1251"),
        (f"{HEADER}\n{ROW}\n".replace(",", ";").encode(), ""),
        (f"{HEADER}\n{ROW}\n".replace(",", "\t").encode(), ""),
        (f'{HEADER}\n\n"1",ann,2024-05-01,"a.png","ёлка"\n'.encode(), ""),
    ],
    ids=["plain", "mark", "utf-16", "cp1251", "semicolons", "tabs", "quotes"],
)
async def test_a_file_is_read_as_programs_write_it(tmp_path: Path, content: bytes, encoding: str) -> None:
    (tmp_path / "old.csv").write_bytes(content)
    values = {"id": "1", "user_id": "ann", "created_at": "2024-05-01", "path": "a.png", "prompt": "ёлка"}
    assert await read(tmp_path / "old.csv", encoding=encoding) == [RawRow(1, values)]


async def test_rows_that_cannot_be_read_cost_no_others(tmp_path: Path) -> None:
    found = await read_text(tmp_path, HEADER, ROW, "2,ann", f"3{ROW[1:]},more", '4,"a"b,2024,c,d', f"5{ROW[1:]}")
    assert [(row.number, row.problem) for row in found] == [
        (1, ""),
        (2, "has 2 columns, and the first line names 5"),
        (3, "has 6 columns, and the first line names 5"),
        (4, "is not CSV from line 5 on: ',' expected after '\"'"),
        (5, ""),
    ]


async def test_bytes_of_another_encoding_cost_their_row_where_they_are_needed(tmp_path: Path) -> None:
    other = "2,ann,2024-05-01,a.png,ёлка".encode("cp1251")
    lines = [
        f"{HEADER},note".encode(),
        f"{ROW},".encode(),
        other + b",",
        f"3{ROW[1:]},".encode() + "ё".encode("cp1251"),
    ]
    (tmp_path / "old.csv").write_bytes(b"\n".join(lines))
    assert [row.problem for row in await read(tmp_path / "old.csv")] == [
        "",
        "prompt: is not UTF-8; say what it is with --encoding",
        "",
    ]


async def test_an_open_quote_at_the_end_is_told_after_what_was_whole(tmp_path: Path) -> None:
    found = await read_text(tmp_path, HEADER, ROW, '2,ann,2024-05-01,a.png,"never closed')
    assert [row.problem for row in found] == ["", "is not CSV from line 3 on: unexpected end of data"]


async def test_the_number_of_rows_is_about_known(tmp_path: Path) -> None:
    (tmp_path / "old.csv").write_text(f"{HEADER}\n{ROW}\n{ROW}\n")
    async with open_csv(tmp_path / "old.csv", {}) as old:
        assert old.total == 2


@pytest.mark.parametrize(
    ("content", "encoding", "field", "why"),
    [
        (b"", "", "map", "no column for id"),
        (b"id,id,user_id\n", "", "from", "two columns have the name 'id'"),
        (b"id,user_id,when\n", "", "map", "no column for created_at, media"),
        (b"id\n", "klingon", "encoding", "no encoding that is known"),
        (codecs.BOM_UTF16_LE + b"i", "", "from", "is not a CSV file in UTF-16"),
    ],
    ids=["empty", "twice", "missing", "unknown encoding", "half a letter"],
)
async def test_what_cannot_be_an_older_gallery_is_refused(
    tmp_path: Path, content: bytes, encoding: str, field: str, why: str
) -> None:
    (tmp_path / "old.csv").write_bytes(content)
    with pytest.raises(InvalidField, match=why) as refused:
        await read(tmp_path / "old.csv", encoding=encoding)
    assert refused.value.field == field
