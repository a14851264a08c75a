"""Edits and deletions, and what cannot be edited."""

from __future__ import annotations

from typing import Any

from tests.support.bot_api import Calls, buttons, clip, picture
from tests.support.telegram import TelegramUser

NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current "
    "content and reply markup of the message"
)


async def refusal(api: Calls, method: str, files: dict[str, bytes] | None = None, /, **arguments: Any) -> str:
    refused = await api.refused(method, files, **arguments)
    assert refused.code == 400
    return refused.description.removeprefix("Bad Request: ")


async def written(api: Calls, person: TelegramUser, text: str = "old", *labels: str) -> dict[str, Any]:
    """Where a new message of the bot is: chat_id and message_id."""
    markup = {"reply_markup": buttons(*labels)} if labels else {}
    sent = await api.ok("sendMessage", chat_id=person.user_id, text=text, **markup)
    return {"chat_id": person.user_id, "message_id": sent["message_id"]}


async def photographed(api: Calls, person: TelegramUser, caption: str = "old") -> dict[str, Any]:
    sent = await api.ok("sendPhoto", {"photo": picture()}, chat_id=person.user_id, caption=caption)
    return {"chat_id": person.user_id, "message_id": sent["message_id"]}


async def test_an_edit_says_everything_anew(api: Calls) -> None:
    person = await api.person()
    place = await written(api, person, "old", "Yes", "No")
    edited = await api.ok("editMessageText", **place, text="<b>new</b>", parse_mode="HTML")
    assert (edited["text"], edited["entities"][0]["type"]) == ("new", "bold")
    assert edited["edit_date"] >= edited["date"]
    assert "reply_markup" not in edited
    seen = (await person.messages())[-1]
    assert (seen.text, seen.buttons, seen.edits) == ("new", [], 1)
    assert seen.edit_time > 0


async def test_buttons_alone_can_be_edited(api: Calls) -> None:
    person = await api.person()
    place = await written(api, person)
    edited = await api.ok("editMessageReplyMarkup", **place, reply_markup=buttons("Yes"))
    assert edited["reply_markup"] == buttons("Yes")
    assert "edit_date" not in edited
    assert (await person.messages())[-1].labels == ["Yes"]
    await api.ok("editMessageReplyMarkup", **place)
    assert (await person.messages())[-1].labels == []
    not_inline = await refusal(api, "editMessageReplyMarkup", **place, reply_markup={"remove_keyboard": True})
    assert not_inline == "inline keyboard expected"


async def test_an_edit_that_changes_nothing_is_refused(api: Calls) -> None:
    person = await api.person()
    place = await written(api, person, "same", "Yes")
    same = {**place, "text": "same", "reply_markup": buttons("Yes")}
    assert await refusal(api, "editMessageText", **same) == NOT_MODIFIED
    assert await refusal(api, "editMessageReplyMarkup", **place, reply_markup=buttons("Yes")) == NOT_MODIFIED
    photo = await photographed(api, person, "same")
    assert await refusal(api, "editMessageCaption", **photo, caption="same") == NOT_MODIFIED
    seen = (await person.messages())[-1]
    assert seen.media is not None
    media = {"type": "photo", "media": seen.media.file_id, "caption": "same"}
    assert await refusal(api, "editMessageMedia", **photo, media=media) == NOT_MODIFIED
    assert [message.edits for message in await person.messages()] == [0, 0, 0]


async def test_text_and_caption_are_two_things(api: Calls) -> None:
    person = await api.person()
    photo, text = await photographed(api, person), await written(api, person)
    assert await refusal(api, "editMessageText", **photo, text="x") == "there is no text in the message to edit"
    assert (
        await refusal(api, "editMessageCaption", **text, caption="x") == "there is no caption in the message to edit"
    )
    edited = await api.ok("editMessageCaption", **photo, caption="new")
    assert edited["caption"] == "new"
    assert "caption" not in await api.ok("editMessageCaption", **photo)


async def test_media_can_be_exchanged_and_a_text_can_become_a_picture(api: Calls) -> None:
    person = await api.person()
    place = await written(api, person, "making it …", "Cancel")
    photo = await api.ok(
        "editMessageMedia",
        {"p": picture()},
        **place,
        media={"type": "photo", "media": "attach://p", "caption": "<i>ready</i>", "parse_mode": "HTML"},
        reply_markup=buttons("More"),
    )
    assert (photo["caption"], photo["reply_markup"]) == ("ready", buttons("More"))
    assert "text" not in photo
    video = await api.ok("editMessageMedia", {"v": clip()}, **place, media={"type": "video", "media": "attach://v"})
    assert video["video"]["duration"] == 1
    assert "photo" not in video
    back = {"type": "photo", "media": photo["photo"][-1]["file_id"]}
    again = await api.ok("editMessageMedia", **place, media=back)
    assert again["photo"] == photo["photo"]
    seen = (await person.messages())[-1]
    assert seen.media is not None
    assert (seen.message_id, seen.media.kind, seen.edits) == (place["message_id"], "photo", 3)


async def test_media_that_cannot_be_put_into_a_message(api: Calls) -> None:
    person = await api.person()
    place = await photographed(api, person)
    video = {"type": "video", "media": (await person.messages())[-1].media.file_id}  # type: ignore[union-attr]
    assert await refusal(api, "editMessageMedia", **place, media=video) == "can't use file of type Photo as Video"
    assert await refusal(api, "editMessageMedia", **place) == "there is no media in the request"
    sticker = {"type": "sticker", "media": "x"}
    unsupported = await refusal(api, "editMessageMedia", **place, media=sticker)
    assert unsupported == 'can\'t parse InputMedia: type "sticker" is unsupported'


async def test_an_album_stays_an_album_of_its_kind(api: Calls) -> None:
    person = await api.person()
    files = {"a": picture(), "b": picture()}
    photos = [{"type": "photo", "media": "attach://a"}, {"type": "photo", "media": "attach://b"}]
    sent = await api.ok("sendMediaGroup", files, chat_id=person.user_id, media=photos)
    place = {"chat_id": person.user_id, "message_id": sent[0]["message_id"]}
    await api.ok("editMessageMedia", {"v": clip()}, **place, media={"type": "video", "media": "attach://v"})
    document = {"type": "document", "media": "attach://d"}
    refused = await refusal(api, "editMessageMedia", {"d": b"text"}, **place, media=document)
    assert refused == "can't use the media of the specified type in the album"


async def test_what_cannot_be_edited(api: Calls) -> None:
    person = await api.person()
    asked = await person.send("mine")
    chat = {"chat_id": person.user_id}
    keyboard = await api.ok("sendMessage", **chat, text="?", reply_markup={"keyboard": [["x"]]})
    assert await refusal(api, "editMessageText", **chat, message_id=10**9, text="x") == "message to edit not found"
    assert await refusal(api, "editMessageText", **chat, message_id=asked.message_id, text="x") == (
        "message can't be edited"
    )
    assert await refusal(api, "editMessageText", **chat, message_id=keyboard["message_id"], text="x") == (
        "message can't be edited"
    )
    assert await refusal(api, "editMessageText", text="x") == "message identifier is not specified"
    assert await refusal(api, "editMessageText", chat_id=10**9, message_id=1, text="x") == "chat not found"
    inline = await refusal(api, "editMessageText", inline_message_id="x", text="x")
    assert inline == "sandbox: messages that were sent by inline mode do not exist here"


async def test_what_is_deleted_is_gone_for_both(api: Calls) -> None:
    person = await api.person()
    place = await written(api, person)
    assert await api.ok("deleteMessage", **place) is True
    assert [message.text for message in await person.messages()] == ["/start"]
    assert await refusal(api, "deleteMessage", **place) == "message to delete not found"
    assert await refusal(api, "editMessageText", **place, text="x") == "message to edit not found"
    assert await refusal(api, "deleteMessage", chat_id=person.user_id) == "message identifier is not specified"


async def test_several_messages_are_deleted_at_once(api: Calls) -> None:
    person = await api.person()
    ids = [(await written(api, person))["message_id"] for _ in range(3)]
    assert await api.ok("deleteMessages", chat_id=person.user_id, message_ids=[*ids, 10**9]) is True
    assert [message.text for message in await person.messages()] == ["/start"]
    for wrong in ([], list(range(101))):
        assert "message identifiers" in await refusal(
            api, "deleteMessages", chat_id=person.user_id, message_ids=wrong
        )
