"""Texts and captions: formatting, lengths, and what Telegram refuses."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.telegram.entities import MAX_CAPTION_CHARACTERS, MAX_TEXT_CHARACTERS
from sandbox.telegram.errors import BotApiError
from sandbox.telegram.markup import parse_html
from tests.support.bot_api import Calls, picture


def entity(kind: str, offset: int, length: int, **more: str) -> dict[str, Any]:
    return {"type": kind, "offset": offset, "length": length, **more}


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("plain &lt;b&gt; &amp; &quot;&#65;&#x42;&quot;", 'plain <b> & "AB"', []),
        ("&nbsp; &ltx &lt", "&nbsp; &ltx <", []),
        ("<b>жирно</b>", "жирно", [entity("bold", 0, 5)]),
        ("🎨 <i>a</I>", "🎨 a", [entity("italic", 3, 1)]),
        ("<b>a<u>b</u></b>", "ab", [entity("underline", 1, 1), entity("bold", 0, 2)]),
        ("<s>x</s><del>y</>", "xy", [entity("strikethrough", 0, 1), entity("strikethrough", 1, 1)]),
        ("<b></b>x", "x", []),
        ("<code>a&lt;b</code>", "a<b", [entity("code", 0, 3)]),
        ("<code class='language-py'>x</code>", "x", [entity("code", 0, 1)]),
        ("<pre>x</pre>", "x", [entity("pre", 0, 1)]),
        ('<pre><code class="language-py">x</code></pre>', "x", [entity("pre", 0, 1, language="py")]),
        (
            '<a href="https://e.org/?a=1&amp;b=2">x</a>',
            "x",
            [entity("text_link", 0, 1, url="https://e.org/?a=1&b=2")],
        ),
        ('<a href="nonsense">x</a>', "x", []),
        ('<span class="tg-spoiler">x</span>', "x", [entity("spoiler", 0, 1)]),
        ("<blockquote expandable>x</blockquote>", "x", [entity("expandable_blockquote", 0, 1)]),
        ('<tg-emoji emoji-id="5">x</tg-emoji>', "x", [entity("custom_emoji", 0, 1, custom_emoji_id="5")]),
    ],
)
def test_html_becomes_text_and_entities(source: str, text: str, entities: list[dict[str, Any]]) -> None:
    assert parse_html(source) == (text, entities)


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("a < b", 'Unsupported start tag "" at byte offset 2'),
        ("<3", "Unclosed start tag at byte offset 0"),
        ("<h1>x</h1>", 'Unsupported start tag "h1" at byte offset 0'),
        ("я<br>", 'Unsupported start tag "br" at byte offset 2'),
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b>x</i>", 'Unmatched end tag at byte offset 4, expected "</b>", found "</i>"'),
        ("<b><i>x</b></i>", 'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"'),
        ("<b>x</b", "Unclosed end tag at byte offset 4"),
        ('<a href="https://e.org>x</a>', "Unclosed start tag at byte offset 0"),
        ("<a href>x</a>", 'Expected equal sign in declaration of an attribute of the tag "a" at byte offset 0'),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
    ],
)
def test_broken_html_is_refused_with_its_place(source: str, reason: str) -> None:
    with pytest.raises(BotApiError) as refused:
        parse_html(source)
    assert refused.value.code == 400
    assert refused.value.description == f"Bad Request: can't parse entities: {reason}"


async def test_a_text_is_kept_without_the_space_around_it(api: Calls) -> None:
    person = await api.person()
    sent = await api.ok("sendMessage", chat_id=person.user_id, text="\n <b> Привет</b> \n", parse_mode="HTML")
    assert sent["text"] == "Привет"
    assert sent["entities"] == [entity("bold", 0, 6)]
    seen = (await person.messages())[-1]
    assert (seen.text, seen.entities, seen.from_bot) == ("Привет", [entity("bold", 0, 6)], True)


async def test_lengths_count_after_the_formatting(api: Calls) -> None:
    person = await api.person()
    longest = f"<b>{'я' * MAX_TEXT_CHARACTERS}</b>"
    sent = await api.ok("sendMessage", chat_id=person.user_id, text=longest, parse_mode="HTML")
    assert len(sent["text"]) == MAX_TEXT_CHARACTERS
    too_long = await api.refused("sendMessage", chat_id=person.user_id, text="я" * (MAX_TEXT_CHARACTERS + 1))
    assert too_long.description == "Bad Request: message is too long"
    caption = "я" * (MAX_CAPTION_CHARACTERS + 1)
    too_long = await api.refused("sendPhoto", {"photo": picture()}, chat_id=person.user_id, caption=caption)
    assert too_long.description == "Bad Request: message caption is too long"


@pytest.mark.parametrize(
    ("arguments", "description"),
    [
        ({"text": "  \n "}, "text must be non-empty"),
        ({"text": "<b></b>", "parse_mode": "HTML"}, "text must be non-empty"),
        (
            {"text": "<b>x", "parse_mode": "html"},
            "can't parse entities: Can't find end tag corresponding to start tag \"b\"",
        ),
        ({"text": "x", "parse_mode": "XML"}, "unsupported parse_mode"),
        ({"text": "*x*", "parse_mode": "MarkdownV2"}, "sandbox: parse_mode MarkdownV2 is not built here, use HTML"),
        (
            {"text": "x", "entities": [entity("bold", 0, 2)]},
            "sandbox: entity bold does not lie inside of the text, and is dropped",
        ),
        ({"text": "x", "entities": ["bold"]}, "can't parse MessageEntity: an Object with a type expected"),
    ],
)
async def test_texts_that_telegram_refuses(api: Calls, arguments: dict[str, Any], description: str) -> None:
    person = await api.person()
    refusal = await api.refused("sendMessage", chat_id=person.user_id, **arguments)
    assert refusal.description == f"Bad Request: {description}"


async def test_entities_may_be_given_instead_of_html(api: Calls) -> None:
    person = await api.person()
    given = [entity("italic", 0, 3)]
    sent = await api.ok("sendMessage", chat_id=person.user_id, text="🎨a", entities=given)
    assert sent["entities"] == given


async def test_a_reply_shows_what_it_answers(api: Calls) -> None:
    person = await api.person()
    asked = await person.send("Сколько?")
    sent = await api.ok(
        "sendMessage", chat_id=person.user_id, text="5", reply_parameters={"message_id": asked.message_id}
    )
    assert sent["reply_to_message"]["text"] == "Сколько?"
    assert (await person.messages())[-1].reply_to == asked.message_id
    nothing = {"message_id": 10**9}
    refusal = await api.refused("sendMessage", chat_id=person.user_id, text="5", reply_parameters=nothing)
    assert refusal.description == "Bad Request: message to be replied not found"
    anyway = {**nothing, "allow_sending_without_reply": True}
    sent = await api.ok("sendMessage", chat_id=person.user_id, text="5", reply_parameters=anyway)
    assert "reply_to_message" not in sent
