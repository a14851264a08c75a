"""Results: everything of the contract is in them, and they can be written as JSON."""

from __future__ import annotations

import dataclasses
import inspect
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from google.protobuf.message import Message
from triptych.v1 import account_pb2, events_pb2, generation_pb2, item_pb2, media_pb2

from clients import sdk
from clients.sdk import convert, models
from clients.sdk.enums import enum_word
from clients.sdk.events import event

PAIRS: list[tuple[type[Message], type[Any]]] = [
    (generation_pb2.Generation, models.Generation),
    (generation_pb2.Failure, models.Failure),
    (generation_pb2.GenerationType, models.GenerationType),
    (item_pb2.Item, models.Item),
    (media_pb2.Media, models.Media),
    (media_pb2.LocalizedText, models.LocalizedText),
    (account_pb2.Account, models.Account),
    (account_pb2.LedgerEntry, models.LedgerEntry),
]


@pytest.mark.parametrize(("message", "model"), PAIRS, ids=lambda kind: kind.__name__)
def test_models_have_the_fields_of_the_contract(message: type[Message], model: type[Any]) -> None:
    assert {each.name for each in dataclasses.fields(model)} == set(message.DESCRIPTOR.fields_by_name)


def test_enums_have_the_values_of_the_contract() -> None:
    pairs = [
        (sdk.GenerationState, generation_pb2.Generation.State.DESCRIPTOR),
        (sdk.FailureReason, generation_pb2.FailureReason.DESCRIPTOR),
        (sdk.PromptSource, generation_pb2.PromptSource.DESCRIPTOR),
        (sdk.OwnWordsReason, generation_pb2.OwnWordsReason.DESCRIPTOR),
        (sdk.MediaKind, media_pb2.MediaKind.DESCRIPTOR),
        (sdk.LedgerEntryKind, account_pb2.LedgerEntryKind.DESCRIPTOR),
        (sdk.RefundCause, account_pb2.RefundCause.DESCRIPTOR),
    ]
    for kind, descriptor in pairs:
        words = {enum_word(descriptor, value.number) for value in descriptor.values}
        assert {member.value for member in kind} == words | {"unknown"}


def test_a_value_newer_than_this_client_is_unknown() -> None:
    generation = convert.generation(generation_pb2.Generation(state=99))  # type: ignore[arg-type]
    assert generation.state is sdk.GenerationState.UNKNOWN
    assert not generation.ended


def test_what_is_absent_is_none() -> None:
    generation = convert.generation(generation_pb2.Generation())
    absent = ("seed", "queue_position", "failure", "create_time", "end_time", "deadline_time")
    assert [getattr(generation, name) for name in absent] == [None] * len(absent)
    assert convert.generation(generation_pb2.Generation(seed=0, queue_position=0)).queue_position == 0


def test_an_event_brings_its_payload_as_plain_values() -> None:
    message = events_pb2.Event(position=3, type="CreditsRefunded")
    message.credits_refunded.generation_id = "g"
    message.credits_refunded.credits = 5
    message.credits_refunded.cause = account_pb2.REFUND_CAUSE_MANUAL
    message.credits_refunded.refund_time.FromDatetime(datetime(2026, 11, 25, 12, tzinfo=UTC))
    found = event(message)
    assert found.generation_id == "g"
    assert found.payload["credits"] == 5
    assert found.payload["cause"] == "manual"
    assert found.payload["failure_reason"] == ""
    assert found.payload["refund_time"] == datetime(2026, 11, 25, 12, tzinfo=UTC)


def test_an_event_newer_than_this_client_still_arrives() -> None:
    found = event(events_pb2.Event(position=3, type="ItemPrinted"))
    assert (found.type, dict(found.payload), found.generation_id) == ("ItemPrinted", {}, "")


def test_results_become_json() -> None:
    message = generation_pb2.Generation(generation_id="g", state=generation_pb2.Generation.STATE_SUCCEEDED)
    message.create_time.FromDatetime(datetime(2026, 11, 25, tzinfo=UTC))
    message.items.add(item_id="g.0")
    told = json.loads(json.dumps(sdk.to_dict(convert.generation(message))))
    assert told["state"] == "succeeded"
    assert told["create_time"] == "2026-11-25T00:00:00+00:00"
    assert told["items"][0]["item_id"] == "g.0"
    assert told["seed"] is None


def test_require_success() -> None:
    succeeded = convert.generation(generation_pb2.Generation(state=generation_pb2.Generation.STATE_SUCCEEDED))
    assert succeeded.require_success() is succeeded
    message = generation_pb2.Generation(state=generation_pb2.Generation.STATE_FAILED)
    message.failure.message.en = "It was not ready in time: try again."
    failed = convert.generation(message)
    with pytest.raises(sdk.NotDelivered, match="not ready in time") as caught:
        failed.require_success()
    assert caught.value.generation is failed


def test_both_clients_have_the_same_methods() -> None:
    def methods(client: type[Any]) -> dict[str, list[tuple[str, Any]]]:
        found = {}
        for name, member in inspect.getmembers(client, inspect.isfunction):
            if not name.startswith("_"):
                parameters = inspect.signature(member).parameters.values()
                found[name] = [(each.name, each.default) for each in parameters]
        return found

    assert methods(sdk.AsyncTriptych) == methods(sdk.Triptych)
    assert len(methods(sdk.Triptych)) > 25
