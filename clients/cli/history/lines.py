"""An event in one line that people read: when, where in the log, whose, what, and what is said about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rich.text import Text

from clients.cli.output import clean, file_size
from clients.sdk import Event

Payload = Mapping[str, Any]


def _asked(payload: Payload) -> str:
    asked = payload["asked"] or {}
    price = f"{payload['output_count']} × {payload['credits_per_output']} credits"
    return f"{asked.get('type', '')}, {price}, {payload['model']}: {asked.get('prompt', '')}"


def _ended(payload: Payload, how: str) -> str:
    back = payload["credits_refunded"]
    return f"{how}, {back} credits back" if back else how


def _produced(payload: Payload) -> str:
    media = payload["media"] or {}
    size = f"{media.get('width')}×{media.get('height')} {media.get('content_type')}"
    return f"{payload['item_id']}, {size}, {file_size(media.get('size_bytes', 0))}"


def _refund(payload: Payload) -> str:
    why = ", ".join(part for part in (payload["cause"], payload["failure_reason"]) if part)
    by_hand = f", by {payload['actor']}: {payload['note']}" if payload["actor"] else ""
    return f"+{payload['credits']} credits, {why}{by_hand}"


_SAID: Mapping[str, Callable[[Payload], str]] = {
    "CreditsGranted": lambda p: f"+{p['credits']} credits{', ' + p['note'] if p['note'] else ''}",
    "CreditsDebited": lambda p: f"-{p['credits']} credits",
    "CreditsRefunded": _refund,
    "GenerationRequested": _asked,
    "PromptModerated": lambda p: "allowed" if p["allowed"] else f"refused: {', '.join(p['categories'])}",
    "PromptEnhanced": lambda p: f"{p['source'].replace('_', ' ')}: {p['prompt']}",
    "SubmissionStarted": lambda p: f"attempt {p['attempt']}",
    "SubmissionDeferred": lambda p: f"attempt {p['attempt']} put off: {p['detail']}",
    "GenerationSubmitted": lambda p: f"as {p['provider_request_id']}",
    "CancellationRequested": lambda p: f"by {p['actor']}" if p["actor"] else "",
    "CancellationRefused": lambda p: str(p["why"]),
    "ImageProduced": _produced,
    "VideoProduced": _produced,
    "ItemImported": _produced,
    "GenerationSucceeded": lambda p: _ended(p, f"{p['delivered_count']} delivered"),
    "GenerationFailed": lambda p: _ended(p, str(p["failure_reason"])),
    "GenerationCancelled": lambda p: _ended(p, "cancelled"),
    "LateReportReceived": lambda p: str(p["vendor_status"]),
}


def said(event: Event) -> str:
    """What is worth saying about it; of types that are newer than this program, nothing."""
    describe = _SAID.get(event.type)
    if describe is not None and event.payload:
        return clean(describe(event.payload))
    return str(event.payload.get("item_id", ""))


def line(event: Event) -> Text:
    """The whole line. Its parts are in columns as long as they are not very long."""
    when = event.record_time.astimezone().strftime("%Y-%m-%d %H:%M:%S") if event.record_time else ""
    about = f"generation {event.generation_id}" if event.generation_id else ""
    return Text.assemble(
        (f"{when}  {event.position:>7}  ", "dim"),
        f"{clean(event.user_id):<10}  ",
        (f"{event.type:<20}  ", "bold"),
        said(event),
        (f"  {about}" if about else "", "dim"),
    )
