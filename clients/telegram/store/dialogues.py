"""aiogram's storage of dialogues, on disk."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import aiosqlite
from aiogram.fsm.state import State
from aiogram.fsm.storage.base import BaseStorage, DefaultKeyBuilder, StateType, StorageKey

_KEYS = DefaultKeyBuilder(with_destiny=True)


class Dialogues(BaseStorage):
    """The table ``dialogues``. A dialogue's data is one JSON object."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def set_state(self, key: StorageKey, state: StateType = None) -> None:
        name = state.state if isinstance(state, State) else state
        await self._connection.execute(
            "insert into dialogues (name, state, data) values (?, ?, '{}') "
            "on conflict (name) do update set state = excluded.state",
            (_KEYS.build(key), name),
        )

    async def get_state(self, key: StorageKey) -> str | None:
        found = await self._row(key)
        return found[0] if found else None

    async def set_data(self, key: StorageKey, data: Mapping[str, Any]) -> None:
        await self._connection.execute(
            "insert into dialogues (name, data) values (?, ?) on conflict (name) do update set data = excluded.data",
            (_KEYS.build(key), json.dumps(data, ensure_ascii=False)),
        )

    async def get_data(self, key: StorageKey) -> dict[str, Any]:
        found = await self._row(key)
        return dict(json.loads(found[1])) if found else {}

    async def close(self) -> None:
        """Nothing is left to do: whoever opened the database closes it."""

    async def _row(self, key: StorageKey) -> tuple[str | None, str] | None:
        cursor = await self._connection.execute(
            "select state, data from dialogues where name = ?", (_KEYS.build(key),)
        )
        row = await cursor.fetchone()
        return (row[0], row[1]) if row else None
