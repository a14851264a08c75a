"""What bad input gets: the code that fits, the field's name, and no event.

Through the API of the real service, with the words as callers may send them and not as the SDK would.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from clients.sdk import AlreadyExists, AsyncTriptych, InvalidArgument, TriptychError
from tests.support.system import new_user

Send = Callable[[AsyncTriptych, str], Awaitable[Any]]

pytestmark = pytest.mark.timeout(300)


def asking(**changes: Any) -> Send:
    given = {"user_id": "", "type": "imagen4", "prompt": "a fox"} | changes

    async def send(triptych: AsyncTriptych, user_id: str) -> None:
        await triptych.request_generation(**(given | {"user_id": changes.get("user_id", user_id)}))

    return send


CASES: dict[str, tuple[str, Send]] = {
    "an empty prompt": ("prompt", asking(prompt="")),
    "a blank prompt": ("prompt", asking(prompt=" \n\t ")),
    "a prompt of 10,000 characters": ("prompt", asking(prompt="x" * 10_000)),
    "an unknown type": ("type", asking(type="poster")),
    "no outputs": ("output_count", asking(output_count=0)),
    "five outputs": ("output_count", asking(output_count=5)),
    "an aspect ratio that the model does not have": ("aspect_ratio", asking(aspect_ratio="7:3")),
    "a video upright in three to four": ("aspect_ratio", asking(type="video", aspect_ratio="3:4")),
    "a missing reference picture": ("reference_media_id", asking(type="avatar")),
    "a reference picture that is not there": (
        "reference_media_id",
        asking(type="avatar", reference_media_id="0" * 64),
    ),
    "a user with a slash": ("user_id", asking(user_id="a/b")),
    "a request with a slash": ("request_id", asking(request_id="a/b")),
    "a negative seed": ("seed", asking(seed=-1)),
    "a picture that is a text file": ("content", lambda t, user: t.upload_reference(user, b"I am no picture. " * 50)),
    "a negative grant": ("credits", lambda t, user: t.grant_credits(user, -5)),
    "a grant of nothing": ("credits", lambda t, user: t.grant_credits(user, 0)),
    "a bad page token": ("page_token", lambda t, user: t.list_items(user, page_token="next please")),
    "a bad token of the statement": ("page_token", lambda t, user: t.list_ledger_entries(user, page_token="%%%")),
    "a page of 1,000": ("page_size", lambda t, user: t.list_items(user, page_size=1000)),
    "a gallery of an unknown type": ("type", lambda t, user: t.list_items(user, type="poster")),
    "a generation with a slash": ("generation_id", lambda t, user: t.cancel_generation("a/b", user_id=user)),
    "an item with a slash": ("item_id", lambda t, user: t.trash_item(user, "../a")),
}


async def events_of(triptych: AsyncTriptych, user_id: str) -> list[str]:
    """All of the user's events: what others do in the same log meanwhile is not ours."""
    return [event.event_id async for event in triptych.replay_events() if event.user_id == user_id]


@pytest.mark.parametrize("name", CASES)
async def test_what_cannot_be_right_names_the_field(triptych: AsyncTriptych, anna: str, name: str) -> None:
    field, send = CASES[name]
    before = await events_of(triptych, anna)
    with pytest.raises(InvalidArgument) as refused:
        await send(triptych, anna)
    assert [violation.field for violation in refused.value.violations] == [field]
    assert all(violation.description for violation in refused.value.violations)
    assert await events_of(triptych, anna) == before
    assert (await triptych.get_account(anna)).balance == 100


async def test_a_refund_without_a_reason_or_a_name(triptych: AsyncTriptych, anna: str) -> None:
    done = await triptych.generate(anna, "imagen4", "a fox", enhance_prompt=False)
    for field, reason, actor in (("reason", "", "olga"), ("reason", "x" * 501, "olga"), ("actor", "blurred", None)):
        with pytest.raises(InvalidArgument) as refused:
            await triptych.refund_generation(done.generation_id, reason, actor=actor)
        assert [violation.field for violation in refused.value.violations] == [field]
    assert (await triptych.get_account(anna)).balance == 95


async def test_a_request_id_again_with_other_parameters(triptych: AsyncTriptych, anna: str) -> None:
    await triptych.request_generation(anna, "imagen4", "forbidden", request_id="mine")
    before = (await triptych.get_account(anna)).credits_debited
    with pytest.raises(AlreadyExists) as refused:
        await triptych.request_generation(anna, "imagen4", "a cat", request_id="mine", output_count=2)
    assert refused.value.code == "ALREADY_EXISTS"
    assert refused.value.field == "request_id"
    assert set(refused.value.differing) == {"prompt", "output_count"}
    assert (await triptych.get_account(anna)).credits_debited == before
    assert len(await triptych.list_generations(anna)) == 1


async def test_a_grant_id_again_with_another_amount(triptych: AsyncTriptych, anna: str) -> None:
    await triptych.grant_credits(anna, 5, grant_id="payment-1")
    with pytest.raises(AlreadyExists) as refused:
        await triptych.grant_credits(anna, 6, grant_id="payment-1")
    assert (refused.value.field, refused.value.differing) == ("grant_id", ("credits",))
    assert (await triptych.get_account(anna)).balance == 105


async def test_what_is_not_there_or_anothers_is_not_found(triptych: AsyncTriptych, anna: str) -> None:
    done = await triptych.generate(anna, "imagen4", "a fox", enhance_prompt=False)
    other = new_user()
    await triptych.grant_credits(other, 1)
    item_id = done.items[0].item_id
    for call in (
        triptych.get_generation(done.generation_id, user_id=other),
        triptych.cancel_generation(done.generation_id, user_id=other),
        triptych.get_item(other, item_id),
        triptych.trash_item(other, item_id),
    ):
        with pytest.raises(TriptychError) as refused:
            await call
        assert refused.value.code == "NOT_FOUND"
