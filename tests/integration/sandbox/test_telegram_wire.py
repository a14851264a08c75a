"""The Bot API server on the wire: tokens, methods, every way to send arguments, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox.options import InvalidOption
from sandbox.telegram import TelegramOptions
from sandbox.telegram.calls import MAX_UPLOAD_BYTES
from sandbox.telegram.methods import METHOD_NAMES
from tests.support.bot_api import Calls, Refusal, calling, picture


async def test_the_bot_is_who_its_token_says(api: Calls) -> None:
    me = await api.ok("getMe")
    assert me["id"] == int(api.people.token.partition(":")[0])
    assert me["is_bot"] is True
    assert me["username"] == "triptych_sandbox_bot"


@pytest.mark.parametrize(
    ("path", "refusal"),
    [
        ("/bot7000000001:wrong/getMe", Refusal(401, "Unauthorized")),
        ("/botnonsense/getMe", Refusal(401, "Unauthorized: invalid token specified")),
        ("/bot7000000001:sandbox-telegram-token/getYou", Refusal(404, "Not Found: method not found")),
        ("/", Refusal(404, "Not Found")),
        ("/file/bot7000000001:wrong/photos/file_1.jpg", Refusal(401, "Unauthorized")),
        ("/file/bot7000000001:sandbox-telegram-token/photos/none.jpg", Refusal(404, "Not Found")),
    ],
)
async def test_wrong_addresses_are_refused(api: Calls, path: str, refusal: Refusal) -> None:
    answer = await api.http.get(api.people.api_url + path)
    body = answer.json()
    assert (answer.status_code, body["ok"]) == (refusal.code, False)
    assert Refusal(body["error_code"], body["description"]) == refusal


async def test_a_method_that_is_not_there_is_seen_among_the_refusals(api: Calls) -> None:
    assert await api.refused("sendSticker", chat_id=1) == Refusal(404, "Not Found: method not found")
    assert (await api.people.refusals())[-1] == "sendSticker: Not Found: method not found"


async def test_arguments_may_be_sent_in_every_way(api: Calls) -> None:
    person = await api.person()
    markup = {"inline_keyboard": [[{"text": "Yes", "callback_data": "yes"}]]}
    chat = {"chat_id": str(person.user_id), "reply_markup": json.dumps(markup)}
    url = f"{api.base}/SENDMESSAGE"
    answers = [
        await api.http.get(url, params={**chat, "text": "query"}),
        await api.http.post(url, data={**chat, "text": "form"}),
        await api.http.post(url, data={**chat, "text": "parts"}, files={"reply_parameters": (None, "{}")}),
        await api.http.post(url, json={"chat_id": person.user_id, "reply_markup": markup, "text": "json"}),
        await api.http.post(url, params=chat, json={"text": "both"}),
    ]
    assert [answer.json()["result"]["text"] for answer in answers] == ["query", "form", "parts", "json", "both"]
    assert [answer.json()["result"]["reply_markup"] for answer in answers] == [markup] * 5


@pytest.mark.parametrize(
    ("arguments", "description"),
    [
        ({}, "Bad Request: message text is empty"),
        ({"text": "x"}, "Bad Request: chat_id is empty"),
        ({"text": "x", "chat_id": 999}, "Bad Request: chat not found"),
        ({"text": "x", "chat_id": "@somebody"}, "Bad Request: chat not found"),
        (
            {"text": "x", "chat_id": 1, "reply_markup": "{"},
            "Bad Request: can't parse reply keyboard markup JSON object",
        ),
        ({"text": {}, "chat_id": 1}, "Bad Request: parameter text must be a String"),
        (
            {"text": "x", "chat_id": 1, "parse_mod": "HTML"},
            "Bad Request: sandbox: sendMessage has no parameter parse_mod",
        ),
        (
            {"text": "x", "chat_id": 1, "link_preview_options": {"disabled": True}},
            "Bad Request: sandbox: link_preview_options has no field disabled",
        ),
    ],
)
async def test_wrong_arguments_are_refused(api: Calls, arguments: dict[str, Any], description: str) -> None:
    assert await api.refused("sendMessage", **arguments) == Refusal(400, description)


async def test_a_body_that_is_no_json_is_refused(api: Calls) -> None:
    headers = {"Content-Type": "application/json"}
    for body, description in [(b"{", "can't parse JSON object"), (b"[]", "object expected as the request body")]:
        answer = await api.http.post(f"{api.base}/getMe", content=body, headers=headers)
        assert answer.json()["description"] == f"Bad Request: {description}"


async def test_a_form_that_cannot_be_read_is_refused(api: Calls) -> None:
    headers = {"Content-Type": "multipart/form-data"}
    answer = await api.http.post(f"{api.base}/getMe", content=b"--b\r\nnonsense", headers=headers)
    assert answer.status_code == 400
    assert answer.json()["description"] == "Bad Request: can't parse the form: Missing boundary in multipart."


async def test_a_file_that_no_parameter_names_is_refused(api: Calls) -> None:
    person = await api.person()
    refusal = await api.refused("sendPhoto", {"foto": picture()}, chat_id=person.user_id)
    assert refusal.description == "Bad Request: sandbox: sendPhoto has no parameter foto"


async def test_a_lenient_server_ignores_what_it_does_not_know() -> None:
    async with calling(TelegramOptions(strict=False)) as lenient:
        person = await lenient.person()
        sent = await lenient.ok("sendMessage", chat_id=person.user_id, text="x", parse_mod="HTML")
        assert sent["text"] == "x"


async def test_more_than_fifty_megabytes_are_refused(api: Calls) -> None:
    person = await api.person()
    too_much = bytes(MAX_UPLOAD_BYTES + 1)
    refusal = await api.refused("sendDocument", {"document": too_much}, chat_id=person.user_id)
    assert refusal == Refusal(413, "Request Entity Too Large")


async def test_calls_are_counted(api: Calls) -> None:
    person = await api.person()
    before = await api.people.counts("sendPhoto")
    sent = await api.ok("sendPhoto", {"photo": picture()}, chat_id=person.user_id)
    await api.ok("sendPhoto", chat_id=person.user_id, photo=sent["photo"][0]["file_id"])
    await api.refused("sendPhoto", chat_id=person.user_id, photo="nonsense")
    after = await api.people.counts("sendPhoto")
    assert (after.calls - before.calls, after.refused - before.refused) == (3, 1)
    assert after.uploads - before.uploads == 1
    last = (await api.people.calls("sendPhoto"))[-1]
    assert (last.arguments["photo"], last.error) == (
        "nonsense",
        "Bad Request: wrong file identifier/HTTP URL specified",
    )
    assert (await api.people.refusals())[-1] == f"sendPhoto: {last.error}"


def test_every_method_is_documented() -> None:
    page = Path(__file__).parents[3].joinpath("docs", "sandbox.md").read_text(encoding="utf-8")
    profile = {name for name in METHOD_NAMES if "My" in name or "MenuButton" in name}
    assert {name for name in METHOD_NAMES - profile if f"`{name}`" not in page} == set()


@pytest.mark.parametrize("token", ["", "secret", "0123:secret", "12:", "1:a/b", "1:" + "x" * 80])
def test_a_token_that_cannot_be_one_is_refused(token: str) -> None:
    with pytest.raises(InvalidOption, match="token"):
        TelegramOptions(token=token)
