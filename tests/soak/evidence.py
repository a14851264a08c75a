"""What is there in the end, as its users find it: through the API, on the disk, and at the vendor.

The log is recounted here in a few lines of its own, so that the service's audit is not its own witness.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from clients.sdk import Account, AsyncTriptych, Event
from sandbox.control import SandboxControl
from tests.support.fleet import Fleet

ENDS: Final = frozenset({"GenerationSucceeded", "GenerationFailed", "GenerationCancelled"})
PRODUCED: Final = frozenset({"ImageProduced", "VideoProduced"})
_WEBHOOK_PATH: Final = "/webhooks/fal/"


class File(NamedTuple):
    """A file as an event names it."""

    key: str
    sha256: str
    size_bytes: int


class Produced(NamedTuple):
    """An output: its picture and its thumbnail."""

    generation_id: str
    media: File
    thumbnail: File


@dataclass
class Story:
    """What the log says of one generation."""

    user_id: str = ""
    price: int = 0
    ends: list[str] = field(default_factory=list)
    failure_reason: str = ""
    attempts: int = 0
    debited: int = 0
    refunded: int = 0
    refunded_by_hand: int = 0
    outputs: int = 0


@dataclass
class Evidence:
    events: int = 0
    stories: dict[str, Story] = field(default_factory=dict)
    granted: Counter[str] = field(default_factory=Counter)
    balances: dict[str, int] = field(default_factory=dict)
    """By the log."""
    lowest: int = 0
    """The lowest balance that any account had at any moment."""
    produced: dict[str, Produced] = field(default_factory=dict)
    """By item id."""
    positions: list[int] = field(default_factory=list)
    """Of all events, in order."""
    shown: dict[str, File] = field(default_factory=dict)
    """What the galleries show, by item id."""
    shown_to: dict[str, set[str]] = field(default_factory=dict)
    """The same: item ids by user."""
    accounts: dict[str, Account] = field(default_factory=dict)
    jobs: Counter[str] = field(default_factory=Counter)
    """The vendor's, by generation."""
    wrong_files: list[str] = field(default_factory=list)
    doctor: dict[str, Any] = field(default_factory=dict)

    def story(self, generation_id: str) -> Story:
        return self.stories.setdefault(generation_id, Story())


async def gather_evidence(fleet: Fleet, sandbox: SandboxControl, users: Iterable[str]) -> Evidence:
    """Everything, once nothing moves any more."""
    evidence = Evidence()
    async with AsyncTriptych(fleet.api.address, timeout_seconds=120.0) as triptych:
        async for event in triptych.replay_events():
            _see(evidence, event)
        for user_id in users:
            evidence.accounts[user_id] = await triptych.get_account(user_id)
            evidence.shown_to[user_id] = set()
            async for items in triptych.stream_items(user_id):
                for item in items:
                    evidence.shown_to[user_id].add(item.item_id)
                    evidence.shown[item.item_id] = File(item.media.key, item.media.sha256, item.media.size_bytes)
    for url, count in (await sandbox.submissions()).items():
        evidence.jobs[url.partition(_WEBHOOK_PATH)[2].partition("/")[0]] += count
    evidence.wrong_files = await asyncio.to_thread(_wrong_files, fleet.media_dir, list(evidence.produced.values()))
    evidence.doctor = await fleet.doctor()
    return evidence


def _see(evidence: Evidence, event: Event) -> None:
    evidence.events += 1
    evidence.positions.append(event.position)
    payload = event.payload
    match event.type:
        case "CreditsGranted":
            evidence.granted[event.user_id] += payload["credits"]
            _move(evidence, event.user_id, payload["credits"])
        case "CreditsDebited":
            evidence.story(event.generation_id).debited += payload["credits"]
            _move(evidence, event.user_id, -payload["credits"])
        case "CreditsRefunded":
            story = evidence.story(event.generation_id)
            if payload["cause"] == "manual":
                story.refunded_by_hand += payload["credits"]
            else:
                story.refunded += payload["credits"]
            _move(evidence, event.user_id, payload["credits"])
        case "GenerationRequested":
            story = evidence.story(event.generation_id)
            story.user_id, story.price = event.user_id, payload["credits_per_output"]
        case "SubmissionStarted":
            evidence.story(event.generation_id).attempts += 1
        case name if name in PRODUCED:
            evidence.story(event.generation_id).outputs += 1
            evidence.produced[payload["item_id"]] = Produced(
                event.generation_id, _file(payload["media"]), _file(payload["thumbnail"])
            )
        case name if name in ENDS:
            evidence.story(event.generation_id).ends.append(name)
            evidence.story(event.generation_id).failure_reason = payload.get("failure_reason", "")


def _move(evidence: Evidence, user_id: str, credits: int) -> None:
    evidence.balances[user_id] = evidence.balances.get(user_id, 0) + credits
    evidence.lowest = min(evidence.lowest, evidence.balances[user_id])


def _file(media: dict[str, Any]) -> File:
    return File(media["key"], media["sha256"], media["size_bytes"])


def _wrong_files(media_dir: Path, produced: list[Produced]) -> list[str]:
    return [
        f"{file.key} {problem}"
        for each in produced
        for file in (each.media, each.thumbnail)
        if (problem := _problem(media_dir / file.key, file))
    ]


def _problem(path: Path, file: File) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    if len(content) != file.size_bytes:
        return f"has {len(content)} bytes, and its event says {file.size_bytes}"
    if hashlib.sha256(content).hexdigest() != file.sha256:
        return "has other bytes than its event says"
    return ""
