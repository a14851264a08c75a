"""What must be true after every run, whatever happened in it.

The log alone is audited by the service's own ``audit``; here it is held against what the log cannot know: what
callers were told, what the vendor was asked, and what is really in the media store.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from service.application.audit import audit
from service.domain.account import CreditsDebited, CreditsGranted, CreditsRefunded
from service.domain.generation import events as e
from service.ports.event_store import RecordedEvent
from tests.simulation.read_models import wrong_rows
from tests.simulation.users import Promises, Refusal
from tests.simulation.vendor import Vendor


@dataclass(frozen=True, kw_only=True)
class Facts:
    log: Sequence[RecordedEvent]
    promises: Promises
    vendor: Vendor
    kept: Mapping[str, str]
    """Media by key, its sha256."""
    now: datetime
    end_by: Callable[[datetime], datetime]
    """From a deadline: when the generation must have ended, the chaos considered."""


def problems_of(facts: Facts) -> list[str]:
    """Plain sentences; empty when everything holds."""
    return [
        *(f"{finding.kind}: {finding.message}" for finding in audit(facts.log)),
        *_ends(facts),
        *_promises(facts),
        *_refusals(facts),
        *_vendor(facts),
        *_media(facts),
        *wrong_rows(facts.log),
    ]


def _ends(facts: Facts) -> Iterator[str]:
    """Every generation ends, in time."""
    ended_at = {
        each.event.generation_id: each.recorded_at for each in facts.log if isinstance(each.event, e.EndEvent)
    }
    for each in facts.log:
        if isinstance(each.event, e.GenerationRequested):
            moment = ended_at.get(each.event.generation_id)
            if moment is None:
                yield f"{each.event.generation_id} never ended"
            elif moment > facts.end_by(each.event.deadline_at):
                yield f"{each.event.generation_id} ended at {moment}, due at {each.event.deadline_at}"


def _promises(facts: Facts) -> Iterator[str]:
    """What callers were told is in the log, once."""
    promises = facts.promises
    yield from promises.broken
    requested = Counter[tuple[str, str]]()
    granted = Counter[tuple[str, str]]()
    by_hand = Counter[str]()
    for each in facts.log:
        match each.event:
            case e.GenerationRequested() as event:
                requested[(event.user_id, event.request_id)] += 1
            case CreditsGranted() as event:
                granted[(event.user_id, event.grant_id)] += event.credits
            case CreditsRefunded(cause="manual") as event:
                by_hand[event.generation_id] += 1
    for request in promises.requests:
        if requested[request] != 1:
            yield f"{request} was acknowledged and is {requested[request]} times in the log"
    yield from (f"{request} is {count} generations" for request, count in requested.items() if count > 1)
    for grant, credits in promises.grants.items():
        if granted[grant] != credits:
            yield f"{grant} of {credits} was acknowledged and the log has {granted[grant]}"
    for generation_id, count in promises.refunds_by_hand.items():
        if (count, by_hand[generation_id]) != (1, 1):
            yield f"{generation_id}: {count} refunds by hand acknowledged, {by_hand[generation_id]} in the log"


def _refusals(facts: Facts) -> Iterator[str]:
    """Who was told that credits are missing was told so at a moment when they were."""
    for refusal in facts.promises.refusals:
        least = _least_balance(facts.log, refusal)
        if least >= refusal.price:
            yield f"{refusal.user_id} was refused {refusal.price} credits and had at least {least}"


def _least_balance(log: Sequence[RecordedEvent], refusal: Refusal) -> int:
    """The smallest balance the user had while the refusal was decided, the moment before included."""
    balance = 0
    during: list[int] = []
    for each in log:
        if each.position > refusal.until_position:
            break
        if each.position > refusal.after_position:
            during.append(balance)
        event = each.event
        if isinstance(event, CreditsGranted | CreditsRefunded | CreditsDebited) and event.user_id == refusal.user_id:
            balance += -event.credits if isinstance(event, CreditsDebited) else event.credits
    return min([*during, balance])


def _vendor(facts: Facts) -> Iterator[str]:
    """The vendor was never asked twice, and never without a word in the log."""
    jobs = Counter(job.generation_id for job in facts.vendor.jobs.values())
    yield from (
        f"{generation_id} has {count} jobs at the vendor" for generation_id, count in jobs.items() if count > 1
    )
    started = Counter(each.event.generation_id for each in facts.log if isinstance(each.event, e.SubmissionStarted))
    for generation_id, count in Counter(facts.vendor.arrivals).items():
        if count > started[generation_id]:
            yield f"{generation_id} reached the vendor {count} times, announced {started[generation_id]} times"


def _media(facts: Facts) -> Iterator[str]:
    """Every output of the log is in the media store, as the log describes it."""
    for each in facts.log:
        if isinstance(each.event, e.ImageProduced | e.VideoProduced):
            for media in (each.event.media, each.event.thumbnail):
                if facts.kept.get(media.key) != media.sha256:
                    yield f"{each.event.item_id}: {media.key} is not in the media store as the log says"
