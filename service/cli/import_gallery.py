"""``triptychd import``: an older gallery's pictures and videos come in."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec
import typer

from service.application.imports import Told
from service.application.imports_rows import USER_ID
from service.cli.import_gallery_run import Done, Wanted, bring_in
from service.cli.logs import set_up_logs
from service.cli.problems import refuse, stderr, told_plainly
from service.config import load_settings
from service.domain.errors import InvalidField


def import_gallery(
    source: Annotated[str, typer.Option("--from", help="postgresql://... or a CSV file.")],
    table: Annotated[str, typer.Option(help="The table, with its schema if need be.")] = "image_generation",
    map_: Annotated[
        list[str] | None, typer.Option("--map", help="FIELD=COLUMN, such as created_at=ts; may be repeated.")
    ] = None,
    media_root: Annotated[
        Path | None, typer.Option(help="The folder that paths of files are relative to, and do not leave.")
    ] = None,
    default_type: Annotated[str, typer.Option("--type", help="Type of rows that name none.")] = "avatar",
    user_template: Annotated[
        str, typer.Option(help="Our id of a user; {id} is the older gallery's, as in telegram-{id}.")
    ] = USER_ID,
    timezone: Annotated[str, typer.Option(help="Of times that name none, such as Europe/Moscow.")] = "UTC",
    encoding: Annotated[str, typer.Option(help="Of a CSV file that is not UTF-8, such as cp1251.")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Look at all rows and files; write nothing.")] = False,
    report: Annotated[
        Path | None, typer.Option(help="A file for everything that was found, a JSON document a line.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> None:
    """Bring an older gallery in: every row one item, at no price, with its own date.

    Files are copied into the media store and verified. Safe to run again: what came in before is passed over. Exit
    code 1 if a row did not come in.

    Example: triptychd import --from postgresql://old/shop --media-root /srv/images --dry-run
    """
    with told_plainly():
        settings = load_settings()
        set_up_logs(settings)
        try:
            wanted = Wanted(
                source=source,
                table=table,
                chosen_columns=_pairs(map_ or []),
                media_root=_folder(media_root),
                default_type=default_type,
                user_template=_template(user_template),
                zone=_zone(timezone),
                encoding=encoding,
                dry_run=dry_run,
                report=report,
                quiet=as_json,
            )
            done = asyncio.run(bring_in(settings, wanted))
        except InvalidField as error:
            refuse(f"--{error.field}: {error.description}")
    if as_json:
        sys.stdout.write(json.dumps(msgspec.to_builtins(done), ensure_ascii=False) + "\n")
    else:
        _tell(done)
    raise typer.Exit(0 if done.complete else 1)


def _pairs(given: Sequence[str]) -> dict[str, str]:
    if wrong := next((each for each in given if "=" not in each), None):
        raise InvalidField("map", f"{wrong!r} is not FIELD=COLUMN, such as created_at=ts")
    return dict(each.split("=", 1) for each in given)


def _folder(path: Path | None) -> Path | None:
    if path is not None and not path.is_dir():
        raise InvalidField("media-root", f"there is no folder {path}")
    return path


def _template(text: str) -> str:
    if text.count(USER_ID) != 1:
        raise InvalidField("user-template", f"must have {USER_ID} in it once, as in telegram-{USER_ID}")
    return text


def _zone(name: str) -> tzinfo:
    try:
        return UTC if name == "UTC" else ZoneInfo(name)
    except (OSError, ValueError, LookupError) as error:
        raise InvalidField("timezone", f"{name!r} is not a time zone such as Europe/Moscow") from error


def _tell(done: Done) -> None:
    for each in done.told:
        stderr.print(_line(each), soft_wrap=True, markup=False)
    totals = done.totals
    if (more := totals.unread + totals.shortened - len(done.told)) > 0:
        stderr.print(f"... and {more:,} more; --report FILE keeps them all")
    came_in = "would come in" if done.dry_run else "came in"
    shortened = f" ({totals.shortened:,} with a prompt that was cut)" if totals.shortened else ""
    stderr.print(
        f"{totals.rows:,} rows: {totals.imported:,} {came_in}{shortened}, {totals.present:,} were here already, "
        f"{totals.unread:,} could not be brought in.",
        soft_wrap=True,
    )
    if done.stopped:
        stderr.print(f"It did not get to the end: {done.stopped}", soft_wrap=True, markup=False)
        stderr.print("Run the same command again to go on.")


def _line(told: Told) -> str:
    return f"row {told.number} (id {told.import_id or 'unknown'}): {told.why}"
