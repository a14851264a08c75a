"""The process, purely: from a generation's state to its next step.

    REQUESTED   moderate -> settle the prompt -> submit
    SUBMITTING  wait for a lost answer until its grace ends, then give up and pay back
    SUBMITTED   look at the vendor until it is done
    past the deadline: out at the vendor, take what it has finished, pay back the rest
    ended       nothing

Workers perform a step and record what came of it; after any crash the next worker asks again and goes on.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from service.domain.generation.events import FailureReason
from service.domain.generation.state import Generation, Phase


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How patient the process is. All in seconds."""

    grace_seconds: float = 120.0
    """How long a lost answer of the vendor is waited for."""
    tool_patience_seconds: float = 120.0
    """How long a request waits for a moderation that is down, before it fails and is paid back."""
    pass_unmoderated: bool = False
    """What happens then instead, where the operator prefers it: the prompt passes unchecked."""
    max_submit_attempts: int = 12
    """How often a request that the vendor surely did not take is sent again."""


class Nothing(msgspec.Struct, frozen=True):
    """It has ended, or is not there."""


class Wait(msgspec.Struct, frozen=True):
    until: datetime


class Moderate(msgspec.Struct, frozen=True):
    last_try: bool
    """The patience is over: settle it now, one way or the other."""


class SettlePrompt(msgspec.Struct, frozen=True):
    pass


class Submit(msgspec.Struct, frozen=True):
    pass


class Look(msgspec.Struct, frozen=True):
    pass


class CancelAtVendor(msgspec.Struct, frozen=True):
    """The user wants out; the vendor has it."""


class RecordCancelled(msgspec.Struct, frozen=True):
    """The user wants out and the vendor never said that it has it."""


class Expire(msgspec.Struct, frozen=True):
    """Past the deadline at the vendor: out there, take what is finished, end it."""


class GiveUp(msgspec.Struct, frozen=True):
    failure_reason: FailureReason
    detail: str


Step = Nothing | Wait | Moderate | SettlePrompt | Submit | Look | CancelAtVendor | RecordCancelled | Expire | GiveUp


def next_step(state: Generation, now: datetime, policy: Policy) -> Step:
    """What is to be done with this generation at this moment."""
    if state.ended or state.phase is Phase.ABSENT or state.deadline_at is None:
        return Nothing()
    match state.phase:
        case Phase.SUBMITTED:
            if now >= state.deadline_at:
                return Expire()
            return CancelAtVendor() if state.cancelling else Look()
        case Phase.SUBMITTING:
            return _while_unknown(state, now)
    if state.cancelling:
        return RecordCancelled()
    if now >= state.deadline_at:
        return GiveUp("timed_out", "the deadline passed before the vendor had taken it")
    return _before_submission(state, now, policy)


def _while_unknown(state: Generation, now: datetime) -> Step:
    known = [moment for moment in (state.grace_until, state.deadline_at) if moment is not None]
    until = min(known)
    if now < until:
        return Wait(until)
    if state.cancelling:
        return RecordCancelled()
    return GiveUp("vendor_unavailable", "the vendor's answer to the submission was lost and no word came since")


def _before_submission(state: Generation, now: datetime, policy: Policy) -> Step:
    if not state.moderated:
        waited_seconds = (now - (state.requested_at or now)).total_seconds()
        return Moderate(last_try=waited_seconds >= policy.tool_patience_seconds)
    if not state.prompt:
        return SettlePrompt()
    if state.retry_at is not None and now < state.retry_at:
        return Wait(state.retry_at)
    if state.attempts >= policy.max_submit_attempts:
        return GiveUp("vendor_unavailable", f"the vendor did not take it in {state.attempts} attempts")
    return Submit()
