"""Queries on how generations stand."""

from __future__ import annotations

import msgspec
from psycopg import sql

from service.domain.errors import NotFound
from service.ports.read_models import Cursor, GenerationPage, GenerationRow, ItemRow
from service.projections.generations_schema import Output
from service.projections.queries import Keyset, Pool, answer, ask, decode, rows_as_json, with_new_columns
from service.projections.rows import columns


class _WithOutputs(GenerationRow, frozen=True, kw_only=True):
    outputs: tuple[Output, ...] = ()


_PROGRESS_FIELDS = ("queue_position", "log_line")
_STORED = [each for each in GenerationRow.__struct_fields__ if each not in (*_PROGRESS_FIELDS, "state", "items")]
# What the vendor last said counts only while the generation is in its hands.
_TABLE = sql.SQL(
    "(SELECT g.*, CASE WHEN g.cancelling THEN 'cancelling' ELSE g.state END AS shown_state,"
    " p.queue_position, coalesce(p.log_line, '') AS log_line FROM {}"
    " LEFT JOIN read.generation_progress AS p ON p.generation_id = g.generation_id AND g.end_time IS NULL) AS g"
).format(
    with_new_columns(sql.SQL("read.generations"), [*_STORED, "state", "cancelling", "outputs"], "g", imported=False)
)
_FIELDS = sql.SQL("{}, shown_state AS state").format(columns([*_STORED, *_PROGRESS_FIELDS]))
_GENERATION = answer(
    "generations",
    rows_as_json(
        sql.SQL("SELECT {}, outputs FROM {} WHERE generation_id = %(generation_id)s").format(_FIELDS, _TABLE)
    ),
)


class PostgresGenerationQueries:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def generation(self, generation_id: str) -> tuple[GenerationRow, int]:
        parameters = {"generation_id": generation_id}
        position, found = await ask(self._pool, "generations", _GENERATION, parameters)
        rows = decode(found, _WithOutputs)
        if not rows:
            raise NotFound("generation", generation_id)
        return _with_items(rows[0]), position

    async def list_generations(
        self, user_id: str, *, unfinished_only: bool, cursor: Cursor | None, limit: int
    ) -> GenerationPage:
        keyset = Keyset(cursor, limit)
        condition = sql.SQL("user_id = %(user_id)s{}").format(
            sql.SQL(" AND end_time IS NULL" if unfinished_only else "")
        )
        query = answer("generations", keyset.columns(_FIELDS, _TABLE, condition))
        parameters = keyset.parameters | {"user_id": user_id}
        position, found, behind = await ask(self._pool, "generations", query, parameters)
        rows, older, newer = keyset.page(decode(found, GenerationRow), behind=behind)
        return GenerationPage(
            generations=rows,
            older=older,
            newer=newer,
            has_next=older is not None,
            has_previous=newer is not None,
            position=position,
        )


def _with_items(row: _WithOutputs) -> GenerationRow:
    fields = {field: getattr(row, field) for field in GenerationRow.__struct_fields__}
    return GenerationRow(**{**fields, "items": tuple(_item(row, output) for output in row.outputs)})


def _item(row: GenerationRow, output: Output) -> ItemRow:
    return ItemRow(
        generation_id=row.generation_id,
        user_id=row.user_id,
        generation_type=row.generation_type,
        model=row.model,
        prompt=row.prompt,
        improved_prompt=row.improved_prompt or row.prompt,
        aspect_ratio=row.aspect_ratio,
        credits=row.credits_per_output,
        imported=row.imported,
        **msgspec.structs.asdict(output),
    )
