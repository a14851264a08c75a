"""An item of an older gallery comes in once, at no price, as it was; what cannot be right names its field."""

from __future__ import annotations

from datetime import timedelta

import pytest

from service.domain.decider import DomainEvent
from service.domain.errors import InvalidField, NotCancellable, NothingToRefund
from service.domain.fulfilment import Nothing, Policy, next_step
from service.domain.generation.curation import favorite, restore, trash, unfavorite
from service.domain.generation.events import ItemImported
from service.domain.generation.importing import OlderItem, bring_in, check, differences
from service.domain.generation.request import cancel
from service.domain.generation.state import Generation, Phase
from service.domain.ids import generation_id_for
from tests.support.given import given
from tests.support.samples import NOW, USER, imported, media, older_item, requested

TYPES = ["avatar", "imagen4", "video"]


def come_in(generation: Generation, item: OlderItem) -> list[DomainEvent]:
    decided = bring_in(generation, item, media=media("old.png"), thumbnail=media("old.webp"))
    return [*decided.imports, *decided.generation]


def test_it_comes_in_once_with_its_own_date() -> None:
    listed, event = imported()
    given().when_generation(lambda generation: come_in(generation, older_item())).then(listed, event)
    given(event).when_generation(lambda generation: come_in(generation, older_item())).then_nothing()
    assert event.generation_id == listed.generation_id == generation_id_for(USER, "import:old-1")
    assert (event.item_id, event.created_at) == (f"{event.generation_id}.0", older_item().created_at)


def test_it_is_a_generation_that_has_ended_and_cost_nothing() -> None:
    _, event = imported()
    state = given(event).generation
    assert (state.phase, state.price, state.asked, len(state.items)) == (Phase.SUCCEEDED, 0, None, 1)
    assert isinstance(next_step(state, NOW, Policy()), Nothing)
    given(event).when(
        lambda account, generation: cancel(
            account, generation, user_id=USER, generation_id=event.generation_id, actor=USER
        )
    ).then_refused(NotCancellable)


def test_its_owner_marks_it_like_any_other() -> None:
    _, event = imported()
    for decisions in ((favorite, unfavorite), (trash, restore)):
        happened: list[DomainEvent] = [event]
        for decision in decisions:
            happened += given(*happened).when_generation(lambda g: decision(g, USER, event.item_id)).events  # noqa: B023
        assert given(*happened).generation.items == given(event).generation.items
        assert len(happened) == 3


def test_a_request_of_that_name_is_not_taken_for_it() -> None:
    state = given(requested()).generation
    with pytest.raises(InvalidField, match="a request 'import:old-1' was made here"):
        come_in(state, older_item())


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("id", {"import_id": ""}),
        ("id", {"import_id": "x" * 201}),
        ("id", {"import_id": "a\0b"}),
        ("model", {"source_model": "x" * 201}),
        ("user_id", {"user_id": "a user"}),
        ("user_id", {"user_id": ""}),
        ("type", {"generation_type": "poem"}),
        ("created_at", {"created_at": NOW + timedelta(minutes=2)}),
        ("prompt", {"prompt": "x" * 10_001}),
        ("prompt", {"prompt": "fox\ud800"}),
    ],
)
def test_what_cannot_be_right_names_its_field(field: str, changes: dict[str, object]) -> None:
    with pytest.raises(InvalidField) as refused:
        check(older_item(**changes), types=TYPES, now=NOW)
    assert refused.value.field == field


def test_what_can_be_right_is_checked_in_silence() -> None:
    check(older_item(), types=TYPES, now=NOW)
    check(older_item(prompt="", source_model="", created_at=NOW + timedelta(seconds=59)), types=TYPES, now=NOW)


def test_differences_are_named() -> None:
    known: ItemImported = imported()[1]
    assert differences(known, older_item()) == ()
    changed = older_item(prompt="a cat", created_at=NOW)
    assert differences(known, changed) == ("created_at", "prompt")


def test_there_is_nothing_to_refund() -> None:
    assert str(NothingToRefund("g", debited=0, refunded=0)) == (
        "No credits were taken for this generation: there are none to give back."
    )
