"""One run: a fleet, clients, kills; then quiet, until everything has ended; then the count."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from typing import Any, Final

from clients.sdk import AsyncTriptych
from sandbox.control import SandboxControl
from tests.soak.chaos import BLOWS, Blow, Chaos
from tests.soak.evidence import Evidence, gather_evidence
from tests.soak.load import Client, Notes
from tests.soak.verdict import judge
from tests.soak.watchers import Watchers
from tests.support.fleet import Fleet, running_fleet

QUIET_WITHIN_SECONDS: Final = 240.0
"""For everything to end once the kills are over; a deadline and a lease on a machine that has nothing else to do."""
_LOOK_SECONDS: Final = 0.2


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How long and how hard. ``most_requests`` is for each client."""

    seed: int
    seconds: float
    least_blows: int = 4
    most_blows: int = 100_000
    clients: int = 6
    users: int = 3
    most_requests: int = 100_000
    most_pause_seconds: float = 0.8
    """Between two acts of a client."""
    workers: int = 2
    apis: int = 0
    """Processes of that role alone; without any, the owner of PostgreSQL has it."""
    projectors: int = 0
    """The same; the owner is none any more from two on."""
    kurrentdb: bool = False
    """Whether the log is in KurrentDB's protocol server."""
    blows: tuple[Blow, ...] = BLOWS
    watched: bool = False
    """Whether somebody watches all the time."""
    deadline_seconds: int = 20


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What happened, and what is wrong with it (``findings``, empty if nothing is)."""

    seed: int
    seconds: float
    kills: int
    blows: dict[str, int]
    generations: int
    ends: dict[str, int]
    failures: dict[str, int]
    """By reason."""
    wishes: dict[str, int]
    clients: dict[str, int]
    """How often clients tried again, repeated, cancelled and so on."""
    items: int
    vendor_jobs: int
    events: int
    credits_debited: int
    credits_refunded: int
    credits_lost: int
    findings: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


async def run(plan: Plan, on_progress: Callable[[str, Notes], None] = lambda what, notes: None) -> Summary:
    """Raises what a client, the fleet or a wait fails with; the last lines of all logs are then in its notes."""
    started_at = time.monotonic()
    notes = Notes()
    async with (
        running_fleet(
            workers=plan.workers,
            apis=plan.apis,
            projectors=plan.projectors,
            deadline_seconds=plan.deadline_seconds,
            kurrentdb=plan.kurrentdb,
        ) as fleet,
        SandboxControl(fleet.control_url) as sandbox,
        AsyncTriptych(fleet.api.address, read_your_writes=False) as triptych,
    ):
        watchers = Watchers(triptych, [_user(number) for number in range(plan.users)] if plan.watched else [])
        try:
            async with watchers.watching() if plan.watched else nullcontext():
                chaos = await _shake(plan, fleet, sandbox, notes, on_progress)
                on_progress("waiting until everything has ended", notes)
                await _quiet(fleet, notes)
                on_progress("counting", notes)
                evidence = await gather_evidence(fleet, sandbox, notes.users)
                findings = judge(notes, evidence)
                if plan.watched:
                    shown = {user_id: evidence.shown_to[user_id] for user_id in watchers.items}
                    await watchers.have_seen(evidence.positions[-1], shown)
                    findings += watchers.findings(evidence.positions, shown)
        except BaseException as error:
            error.add_note(f"seed {plan.seed}; the fleet's logs end like this:\n{fleet.logs()}")
            raise
    return _summary(plan, time.monotonic() - started_at, chaos, notes, evidence, findings)


async def _shake(
    plan: Plan, fleet: Fleet, sandbox: SandboxControl, notes: Notes, on_progress: Callable[[str, Notes], None]
) -> Chaos:
    source = random.Random(plan.seed)
    chaos = Chaos(
        fleet, random.Random(source.random()), plan.blows, lambda name: on_progress(f"kill -9: {name}", notes)
    )
    addresses = [relay.address for relay in fleet.apis.values()]
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for number in range(plan.clients):
            client = Client(
                f"client-{number}",
                _user(number % plan.users),
                address=addresses[number % len(addresses)],
                sandbox=sandbox,
                notes=notes,
                source=random.Random(source.random()),
                most_pause_seconds=plan.most_pause_seconds,
            )
            group.create_task(client.run(stop, most_requests=plan.most_requests))
        await chaos.run(seconds=plan.seconds, least_blows=plan.least_blows, most_blows=plan.most_blows)
        stop.set()
    return chaos


def _user(number: int) -> str:
    return f"user-{number}"


async def _quiet(fleet: Fleet, notes: Notes) -> None:
    """Until no user has an unfinished generation. Raises TimeoutError."""
    async with asyncio.timeout(QUIET_WITHIN_SECONDS), AsyncTriptych(fleet.api.address) as triptych:
        for user_id in notes.users:
            while (await triptych.list_generations(user_id, unfinished_only=True, page_size=1)).items:  # noqa: ASYNC110
                await asyncio.sleep(_LOOK_SECONDS)


def _summary(
    plan: Plan, seconds: float, chaos: Chaos, notes: Notes, evidence: Evidence, findings: list[str]
) -> Summary:
    stories = evidence.stories.values()
    lost = sum(
        story.debited - story.refunded - story.price * story.outputs for story in stories if len(story.ends) == 1
    )
    return Summary(
        seed=plan.seed,
        seconds=round(seconds, 1),
        kills=chaos.kills,
        blows=dict(chaos.blows),
        generations=len(evidence.stories),
        ends=dict(Counter(end for story in stories for end in story.ends)),
        failures=dict(Counter(story.failure_reason for story in stories if story.failure_reason)),
        wishes=dict(notes.wishes),
        clients=dict(notes.counts),
        items=len(evidence.produced),
        vendor_jobs=evidence.jobs.total(),
        events=evidence.events,
        credits_debited=sum(story.debited for story in stories),
        credits_refunded=sum(story.refunded + story.refunded_by_hand for story in stories),
        credits_lost=lost,
        findings=findings,
    )
