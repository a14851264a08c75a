"""The role as the service runs it: settings in, an endpoint out, on the real event store."""

from __future__ import annotations

import time
import uuid
from datetime import UTC, datetime
from pathlib import Path

import httpx
import msgspec
import pytest

from service.bootstrap import CannotStart, running
from service.bootstrap.webhooks import webhook_urls
from service.config import Settings
from service.domain.generation.events import GenerationSubmitted
from service.domain.ids import generation_stream
from service.ports.event_store import NewEvent, StreamWrite
from tests.support import samples
from tests.support.fal_queue import BOUND_SECONDS, until
from tests.support.webhooks import SECRET, Signer, key_server, listening, report

PUBLIC_URL = "https://hooks.example"


def settings_for(database: str, data_dir: Path, **changes: object) -> Settings:
    fields: dict[str, object] = {
        "data_dir": data_dir,
        "event_store": database,
        "roles": frozenset({"webhook"}),
        "webhook_port": 0,
        "webhook_public_url": PUBLIC_URL,
        "webhook_secret": SECRET,
    }
    return Settings(**{**fields, **changes})  # type: ignore[arg-type]


async def test_a_report_reaches_the_log(database: str, tmp_path: Path) -> None:
    generation_id = str(uuid.uuid4())
    history = (samples.requested(), samples.moderated(), samples.enhanced(), samples.submission_started())
    new = [NewEvent(uuid.uuid4(), msgspec.structs.replace(event, generation_id=generation_id)) for event in history]
    stream = generation_stream(generation_id)
    signer = Signer()
    async with key_server() as keys:
        keys.keys = [signer.jwk()]
        settings = settings_for(database, tmp_path, fal_jwks_url=keys.url)
        async with running(settings) as system, httpx.AsyncClient(timeout=BOUND_SECONDS, trust_env=False) as client:
            await system.shared.store.append([StreamWrite(stream, 0, tuple(new))])
            given_out = webhook_urls(settings, SECRET)(generation_id)
            here = given_out.replace(PUBLIC_URL, f"http://{system.webhook_address}")

            async def deliver() -> int:
                headers = signer.headers(report(), at=datetime.fromtimestamp(time.time(), UTC))
                return (await client.post(here, content=report(), headers=headers)).status_code

            # As the vendor does: again, until it is taken.
            await until(deliver, lambda status: status == 200)
            last = (await system.shared.store.read_stream(stream))[-1].event
    assert last == GenerationSubmitted(
        generation_id=generation_id, provider_request_id="job-1", learned_from="webhook"
    )


async def test_a_taken_port_is_said_at_start(database: str, tmp_path: Path) -> None:
    async def nothing(*_: object) -> None: ...

    async with listening(nothing) as other:
        with pytest.raises(CannotStart, match="the port is taken"):
            async with running(settings_for(database, tmp_path, webhook_port=other.port)):
                pass


def test_without_a_public_address_none_is_given_out(tmp_path: Path) -> None:
    settings = settings_for("", tmp_path, webhook_public_url="", roles=frozenset({"worker"}))
    assert webhook_urls(settings, SECRET)(samples.GENERATION_ID) == ""
