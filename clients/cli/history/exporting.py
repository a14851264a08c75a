"""history export: takes the log, or a part of it, away as files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from clients.cli.history import options, progress
from clients.cli.output import file_size, print_json
from clients.cli.session import Session, command
from clients.history.export import Asked, Exported
from clients.history.export import export as run_export
from clients.history.manifest import Format, Partition

app = typer.Typer()


@command(app)
def export(
    session: Session,
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Where to; made if it is not there.")],
    format: Annotated[
        Format | None, typer.Option("--format", "-f", help="What kind of files. [default: parquet]")
    ] = None,
    partition_by: Annotated[
        Partition | None, typer.Option("--partition-by", help="A folder for each day (UTC). [default: none]")
    ] = None,
    after: options.After = 0,
    since: options.Since = None,
    until: options.Until = None,
    event: options.EventTypes = None,
    category: options.Categories = None,
    type_name: options.GenerationType = None,
) -> None:
    """Export history to Parquet, JSON Lines or CSV. Run it again to append what is new.

    The folder's manifest.json says what is in it and up to where. It is written last: what has no manifest is not
    finished, and running the same command again goes on with it.

    Examples:

      triptych history export history/

      triptych history export failures/ --format csv --event GenerationFailed --since 2026-11-01T00:00Z

      triptych history export by-day/ --partition-by day
    """
    selected = options.selection(
        session, after=after, since=since, until=until, event=event, category=category, type_name=type_name
    )
    asked = Asked(format=format, partition_by=partition_by, selection=selected)
    try:
        with progress.shown(session, "Exporting", selected) as on_progress:
            exported = run_export(session.client, folder, asked, on_progress)
    except KeyboardInterrupt:
        if not session.as_json:
            session.err.print("Not finished. The same command goes on with it.", soft_wrap=True)
        raise
    if session.as_json:
        print_json(_summary(folder, exported))
    else:
        session.out.print(_sentence(folder, exported), soft_wrap=True)


def _summary(folder: Path, exported: Exported) -> dict[str, object]:
    manifest = exported.manifest
    return {
        "folder": str(folder),
        "new_rows": exported.new_rows,
        "new_files": exported.new_files,
        "rows": manifest.rows if manifest else 0,
        "position": manifest.position if manifest else 0,
        "files": [file.path for file in manifest.files] if manifest else [],
    }


def _sentence(folder: Path, exported: Exported) -> str:
    manifest = exported.manifest
    if manifest is None:
        return "The log is empty: nothing was exported."
    size = file_size(sum(file.size_bytes for file in manifest.files))
    whole = f"{folder} has {_events(manifest.rows)} up to position {manifest.position}, {size} of {manifest.format}."
    if not exported.new_rows:
        return f"Nothing new. {whole}"
    resumed = " (an earlier export was not finished; this went on with it)" if exported.resumed else ""
    files = "1 new file" if exported.new_files == 1 else f"{exported.new_files} new files"
    return f"Exported {_events(exported.new_rows)} in {files}{resumed}. {whole}"


def _events(count: int) -> str:
    return "1 event" if count == 1 else f"{count:,} events"
