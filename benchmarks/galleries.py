"""Users with credits and with galleries of a size, made of real events that the projections read.

Every generation has four pictures. Prompts are of words that differ, so that the index of words is of a real size.
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.catching_up import caught_up
from benchmarks.serving import serving
from service.adapters.eventstore.postgres_import import PostgresHistoryImport
from service.domain.account import CreditsDebited, CreditsGranted
from service.domain.events import Event
from service.domain.generation import events as e
from service.domain.ids import account_stream, generation_stream, item_id_for
from service.ports.event_store import NewEvent
from service.ports.history_import import DatedEvent

OUTPUTS = 4
CREDITS_PER_OUTPUT = 5
GRANTED = 900_000_000
BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
_WORDS = ("lighthouse", "storm", "cat", "roof", "night", "garden", "winter", "harbour", "glass", "copper", "forest")


async def fill(conninfo: str, galleries: dict[str, int], folder: Path) -> None:
    """Writes the users with so many items each (a multiple of four), and builds the read models."""
    async with PostgresHistoryImport.open(conninfo) as importing:
        at = BEGINNING  # a log's times never go back, so one user comes after the other
        for user_id, items in galleries.items():
            await importing.write(history(user_id, items, at))
            at += MINUTE * (items // OUTPUTS)
    await project(conninfo, folder)


async def project(conninfo: str, folder: Path) -> None:
    """Runs a projector process until the read models are at the end of the log; ``folder`` is its data folder."""
    with serving("projector", conninfo, folder):
        await caught_up(conninfo)


def history(user_id: str, items: int, at: datetime) -> Iterator[DatedEvent]:
    """A grant that lasts, and the generations of a gallery, a minute apart."""
    chance = random.Random(user_id)  # noqa: S311 - always the same
    grant = CreditsGranted(user_id=user_id, grant_id="first", credits=GRANTED)
    yield _dated(account_stream(user_id), 1, grant, at)
    for number in range(items // OUTPUTS):
        generation_id = str(uuid.UUID(int=chance.getrandbits(128), version=4))
        price = OUTPUTS * CREDITS_PER_OUTPUT
        debit = CreditsDebited(user_id=user_id, generation_id=generation_id, credits=price)
        yield _dated(account_stream(user_id), number + 2, debit, at)
        for version, event in enumerate(_generation(user_id, generation_id, chance, at), 1):
            yield _dated(generation_stream(generation_id), version, event, at)
        at += MINUTE


def _generation(user_id: str, generation_id: str, chance: random.Random, at: datetime) -> Iterator[Event]:
    prompt = "a " + " ".join(chance.choices(_WORDS, k=8)) + f", number {chance.randrange(10_000)}"
    yield e.GenerationRequested(
        generation_id=generation_id,
        user_id=user_id,
        request_id=generation_id,
        asked=e.AskedParameters(generation_type="imagen4", prompt=prompt, output_count=OUTPUTS),
        model="fal-ai/imagen4/preview",
        aspect_ratio="1:1",
        output_count=OUTPUTS,
        credits_per_output=CREDITS_PER_OUTPUT,
        requested_at=at,
        deadline_at=at + 5 * MINUTE,
    )
    for index in range(OUTPUTS):
        yield e.ImageProduced(
            generation_id=generation_id,
            item_id=item_id_for(generation_id, index),
            index=index,
            media=_file(f"outputs/{generation_id}/{index}", "image/png", 1024, 1_400_000, chance),
            thumbnail=_file(f"thumbnails/{generation_id}/{index}", "image/webp", 320, 14_000, chance),
            seed=chance.getrandbits(31),
        )
    yield e.GenerationSucceeded(generation_id=generation_id, delivered_count=OUTPUTS)


def _file(key: str, content_type: str, side: int, size_bytes: int, chance: random.Random) -> e.StoredMedia:
    sha256 = f"{chance.getrandbits(256):064x}"
    return e.StoredMedia(
        key=key, content_type=content_type, size_bytes=size_bytes, sha256=sha256, width=side, height=side
    )


def _dated(stream: str, version: int, event: Event, at: datetime) -> DatedEvent:
    return DatedEvent(stream, version, NewEvent(uuid.uuid4(), event), at)
