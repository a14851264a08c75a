"""From the vendor's POST to the event: a sandbox that signs and delivers, our endpoint, and what the log has then."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import httpx
import msgspec
import pytest

from sandbox import Sandbox
from service.adapters.clock import SystemClock
from service.adapters.eventstore.memory import MemoryEventStore
from service.adapters.media import ObjectMediaStore, open_location
from service.adapters.memory_work_list import MemoryWorkList
from service.adapters.providers.fal_webhook import FalWebhookVerifier
from service.adapters.providers.fal_webhook_keys import FalWebhookKeys
from service.api.webhook.address import code_for, webhook_url
from service.api.webhook.app import WebhookLimits, webhook_app
from service.application.execute import Executor
from service.application.generations import Generations
from service.application.reports import Reports
from service.domain.decider import DomainEvent
from service.domain.generation.events import GenerationSubmitted, LateReportReceived
from service.domain.ids import generation_stream
from service.ports.event_store import NewEvent, StreamWrite
from tests.support import samples
from tests.support.fal_queue import BOUND_SECONDS, Queue, until
from tests.support.vendors import trusted
from tests.support.webhooks import SECRET, listening

PATIENT = WebhookLimits(body_seconds=BOUND_SECONDS, handling_seconds=BOUND_SECONDS)
ASKED = (samples.requested(), samples.moderated(), samples.enhanced())
ANSWER_LOST = (*ASKED, samples.submission_started())


class Endpoint:
    """Our side: the log, the work list, and the addresses that we give out."""

    def __init__(self, store: MemoryEventStore, work_list: MemoryWorkList, base_url: str) -> None:
        self.store = store
        self.work_list = work_list
        self.base_url = base_url

    async def given(self, *events: DomainEvent) -> str:
        """A generation of its own to which this happened; its id."""
        generation_id = str(uuid.uuid4())
        own = [msgspec.structs.replace(event, generation_id=generation_id) for event in events]
        new = tuple(NewEvent(uuid.uuid4(), event) for event in own)  # type: ignore[arg-type]
        await self.store.append([StreamWrite(generation_stream(generation_id), 0, new)])
        return generation_id

    def url_for(self, generation_id: str) -> str:
        return webhook_url(self.base_url, SECRET, generation_id)

    async def events(self, generation_id: str) -> Sequence[DomainEvent]:
        return [each.event for each in await self.store.read_stream(generation_stream(generation_id))]


@pytest.fixture(scope="module")
async def endpoint(sandbox_server: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Endpoint]:
    clock, store = SystemClock(), MemoryEventStore()
    work_list = MemoryWorkList(clock, store)
    keys = FalWebhookKeys(
        sandbox_server.jwks_url, tls=trusted(sandbox_server), clock=clock, timeout_seconds=BOUND_SECONDS
    )
    with ThreadPoolExecutor(1) as threads:
        media = ObjectMediaStore(open_location(tmp_path_factory.mktemp("media").as_uri()), threads=threads)
        reports = Reports(Generations(Executor(store), samples.CATALOG, media, clock), work_list, clock)
        verifier = FalWebhookVerifier(keys, clock=clock)
        app = webhook_app(secret=SECRET, verifier=verifier, receive=reports.receive, limits=PATIENT)
        async with listening(app) as server:
            yield Endpoint(store, work_list, f"http://{server.address}")
    await keys.aclose()


@pytest.fixture(scope="module")
async def http(sandbox_server: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    headers = {"Authorization": f"Key {sandbox_server.fal_key}"}
    async with httpx.AsyncClient(
        verify=trusted(sandbox_server), headers=headers, timeout=BOUND_SECONDS, trust_env=False
    ) as client:
        yield client


@pytest.fixture
def queue(sandbox: Sandbox, http: httpx.AsyncClient) -> Queue:
    return Queue(sandbox, http)


async def answered(queue: Queue, url: str, status: int = 200, count: int = 1) -> None:
    """Until that many deliveries to this address were answered so. (One that a busy machine kept waiting is
    delivered again, and counts when it is answered.)"""

    async def ask() -> int:
        return len(
            [each for each in await queue.sandbox.control.deliveries() if (each.url, each.status) == (url, status)]
        )

    await until(ask, lambda seen: seen >= count)


async def test_a_lost_answer_is_learned_from_the_webhook(queue: Queue, endpoint: Endpoint) -> None:
    generation_id = await endpoint.given(*ANSWER_LOST)
    job = await queue.accepted("a fox", webhook=endpoint.url_for(generation_id))
    await answered(queue, endpoint.url_for(generation_id))
    assert (await endpoint.events(generation_id))[len(ANSWER_LOST) :] == [
        GenerationSubmitted(
            generation_id=generation_id, provider_request_id=job["request_id"], learned_from="webhook"
        )
    ]


async def test_the_work_list_is_woken(queue: Queue, endpoint: Endpoint) -> None:
    generation_id = await endpoint.given(*ASKED, samples.submission_started(), samples.submitted("job-of-ours"))
    clock = SystemClock()
    claims = await endpoint.work_list.claim("w", limit=100, lease_seconds=3600, now=clock.now())
    assert generation_id in {claim.generation_id for claim in claims}
    await endpoint.work_list.release("w", generation_id, due_at=samples.after(10 * 365 * 86_400))
    await queue.accepted("a fox", webhook=endpoint.url_for(generation_id))
    await answered(queue, endpoint.url_for(generation_id))
    claims = await endpoint.work_list.claim("w", limit=100, lease_seconds=3600, now=clock.now())
    assert [claim.generation_id for claim in claims] == [generation_id]
    # Nothing is decided on what it says: another request's id changes nothing.
    assert len(await endpoint.events(generation_id)) == len(ASKED) + 2


async def test_twice_is_once(queue: Queue, endpoint: Endpoint) -> None:
    generation_id = await endpoint.given(*ANSWER_LOST)
    await queue.sandbox.control.fail_next("webhook", "twice")
    job = await queue.accepted("a fox", webhook=endpoint.url_for(generation_id))
    await answered(queue, endpoint.url_for(generation_id), count=2)
    await queue.sandbox.control.send_webhook_again(job["request_id"])
    await answered(queue, endpoint.url_for(generation_id), count=3)
    assert len(await endpoint.events(generation_id)) == len(ANSWER_LOST) + 1


async def test_after_the_end_it_is_recorded_once_and_changes_nothing(queue: Queue, endpoint: Endpoint) -> None:
    generation_id = await endpoint.given(*ANSWER_LOST, samples.failed())
    await queue.sandbox.control.fail_next("webhook", "twice")
    job = await queue.accepted("a fox", webhook=endpoint.url_for(generation_id))
    await answered(queue, endpoint.url_for(generation_id), count=2)
    assert (await endpoint.events(generation_id))[len(ANSWER_LOST) + 1 :] == [
        LateReportReceived(generation_id=generation_id, provider_request_id=job["request_id"], vendor_status="OK")
    ]


async def test_a_failure_at_the_vendor_is_a_report_like_any_other(queue: Queue, endpoint: Endpoint) -> None:
    generation_id = await endpoint.given(*ANSWER_LOST)
    await queue.accepted("a fox", webhook=endpoint.url_for(generation_id), num_images=9)
    await answered(queue, endpoint.url_for(generation_id))
    assert isinstance((await endpoint.events(generation_id))[-1], GenerationSubmitted)


async def test_out_of_order_each_is_learned_for_its_own_generation(queue: Queue, endpoint: Endpoint) -> None:
    first, second = await endpoint.given(*ANSWER_LOST), await endpoint.given(*ANSWER_LOST)
    await queue.sandbox.control.fail_next("webhook", "out_of_order", seconds=300, match="first")
    first_job = await queue.accepted("first", webhook=endpoint.url_for(first))
    await queue.wait(first_job)
    second_job = await queue.accepted("second", webhook=endpoint.url_for(second))
    await answered(queue, endpoint.url_for(first))
    order = [each.url for each in await queue.sandbox.control.deliveries()]
    assert order.index(endpoint.url_for(second)) < order.index(endpoint.url_for(first))
    for generation_id, job in ((first, first_job), (second, second_job)):
        last = (await endpoint.events(generation_id))[-1]
        assert isinstance(last, GenerationSubmitted)
        assert last.provider_request_id == job["request_id"]


async def test_one_that_never_comes_leaves_the_generation_to_the_poller(queue: Queue, endpoint: Endpoint) -> None:
    silent, heard = await endpoint.given(*ANSWER_LOST), await endpoint.given(*ANSWER_LOST)
    await queue.wait(await queue.accepted("x [sandbox:webhook-never]", webhook=endpoint.url_for(silent)))
    await queue.accepted("y", webhook=endpoint.url_for(heard))
    await answered(queue, endpoint.url_for(heard))
    assert endpoint.url_for(silent) not in {each.url for each in await queue.sandbox.control.deliveries()}
    assert len(await endpoint.events(silent)) == len(ANSWER_LOST)


@pytest.mark.parametrize(
    ("kind", "status"), [("bad_signature", 401), ("unsigned", 401), ("stale_timestamp", 401), ("garbage", 400)]
)
async def test_what_is_not_believed_changes_nothing(queue: Queue, endpoint: Endpoint, kind: str, status: int) -> None:
    generation_id = await endpoint.given(*ANSWER_LOST)
    await queue.sandbox.control.fail_next("webhook", kind)
    await queue.accepted("a fox", webhook=endpoint.url_for(generation_id))
    await answered(queue, endpoint.url_for(generation_id), status)
    assert len(await endpoint.events(generation_id)) == len(ANSWER_LOST)


async def test_a_genuine_signature_does_not_open_an_address_that_was_not_given_out(
    queue: Queue, endpoint: Endpoint
) -> None:
    """Another customer of the vendor can have anything delivered anywhere, rightly signed."""
    ours, theirs = await endpoint.given(*ANSWER_LOST), await endpoint.given(*ANSWER_LOST)
    guessed = endpoint.url_for(ours).replace(code_for(SECRET, ours), "0" * 32)
    borrowed = endpoint.url_for(ours).replace(code_for(SECRET, ours), code_for(SECRET, theirs))
    unknown = endpoint.url_for(str(uuid.uuid4()))
    for url in (guessed, borrowed, unknown):
        await queue.accepted("a fox", webhook=url)
        await answered(queue, url, 404)
    assert len(await endpoint.events(ours)) == len(ANSWER_LOST)


async def test_many_at_once_teach_each_generation_once(queue: Queue, endpoint: Endpoint) -> None:
    generation_id = await endpoint.given(*ANSWER_LOST)
    job = await queue.accepted("a fox", webhook=endpoint.url_for(generation_id))
    await answered(queue, endpoint.url_for(generation_id))
    again = (queue.sandbox.control.send_webhook_again(job["request_id"]) for _ in range(10))
    await asyncio.gather(*again)
    await answered(queue, endpoint.url_for(generation_id), count=11)
    assert len(await endpoint.events(generation_id)) == len(ANSWER_LOST) + 1
