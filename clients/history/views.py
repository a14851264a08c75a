"""What SQL sees: the views ``events`` and ``generations`` over the files of an export.

``events`` has the columns of ``columns.py`` and ``day``, the date in UTC. ``generations`` has one row for each
generation, which most questions are about: what was asked, when, how it ended, what it cost. Both are described in
``docs/analysts.md``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from clients.history.columns import COLUMNS, Kind
from clients.history.manifest import Manifest

_TYPES: Mapping[Kind, str] = {"integer": "BIGINT", "text": "VARCHAR", "time": "TIMESTAMPTZ", "json": "JSON"}

GENERATIONS_SQL = """
create view generations as
select
    generation_id,
    any_value(user_id) as user_id,
    any_value(generation_type) as type,
    any_value(model) as model,
    min(time) filter (type = 'GenerationRequested') as requested,
    min(time) filter (type in ('GenerationSucceeded', 'GenerationFailed', 'GenerationCancelled')) as ended,
    case
        when bool_or(type = 'GenerationSucceeded') then 'succeeded'
        when bool_or(type = 'GenerationFailed') then 'failed'
        when bool_or(type = 'GenerationCancelled') then 'cancelled'
        else 'running'
    end as state,
    any_value(failure_reason) as failure_reason,
    coalesce(any_value(output_count), 0) as asked,
    coalesce(any_value(delivered_count), 0) as delivered,
    coalesce(sum(credits) filter (type = 'CreditsDebited'), 0)::bigint as credits_taken,
    coalesce(sum(credits) filter (type = 'CreditsRefunded'), 0)::bigint as credits_refunded
from events
where generation_id is not null
group by generation_id
having requested is not null
"""


def events_sql(folder: Path, manifest: Manifest) -> str:
    """The statement that makes the view ``events`` over the files that the manifest lists."""
    names = ", ".join(f'"{column.name}"' for column in COLUMNS if column.kind != "json")
    # Names are this program's, and paths are quoted.
    return (
        f"create view events as select {names}, cast(time as date) as day, cast(data as json) as data "  # noqa: S608
        f"from {_files(folder, manifest)}"
    )


def _files(folder: Path, manifest: Manifest) -> str:
    if not manifest.files:
        nothing = ", ".join(f"cast(null as {_TYPES[column.kind]}) as {column.name}" for column in COLUMNS)
        return f"(select {nothing} where false)"
    paths = "[" + ", ".join(_literal(_no_pattern(str(folder / file.path))) for file in manifest.files) + "]"
    if manifest.format == "parquet":
        return f"read_parquet({paths}, hive_partitioning = false)"
    columns = ", ".join(f"{_literal(column.name)}: {_literal(_TYPES[column.kind])}" for column in COLUMNS)
    if manifest.format == "csv":
        return f"read_csv({paths}, header = true, columns = {{{columns}}}, hive_partitioning = false)"
    return f"read_json({paths}, format = 'newline_delimited', columns = {{{columns}}}, hive_partitioning = false)"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _no_pattern(path: str) -> str:
    """A path that DuckDB does not take for a pattern, whatever characters are in it."""
    return "".join(f"[{each}]" if each in "*?[" else each for each in path)
