"""The gallery in a chat: going through it, lists, marks, trash and back, files, links."""

from __future__ import annotations

import asyncio

from clients.telegram.links import item_payload
from tests.e2e.telegram.stage import SharedStage
from tests.support.telegram import MessageView


def arrow(message: MessageView, label: str) -> str:
    """What the arrow carries; an arrow that leads nowhere is a dot."""
    return next(button.data for row in message.buttons for button in row if button.text == label)


async def test_arrows_lists_and_numbers(stage: SharedStage) -> None:
    visitor = await stage.visitor()
    words = visitor.words
    for prompt in ("первая", "вторая", "третья"):
        await visitor.has_made(prompt)
    gallery = await visitor.gallery()
    assert "третья" in gallery.text
    assert gallery.labels[:3] == ["·", "1 из 3", "➡️"]
    await visitor.user.press(gallery, arrow(gallery, "➡️"))
    gallery = await visitor.shows(gallery, "вторая", "2 из 3")
    await visitor.user.press(gallery, arrow(gallery, "➡️"))
    gallery = await visitor.shows(gallery, "первая", "3 из 3")
    assert gallery.labels[:3] == ["⬅️", "3 из 3", "·"]
    await visitor.has_made("четвёртая")
    await visitor.user.press(gallery, arrow(gallery, "⬅️"))
    gallery = await visitor.shows(gallery, "вторая", "3 из 4", visitor.filter("imagen4", 4))
    await visitor.press(gallery, visitor.filter("video", 0))
    empty = await visitor.sees(words("empty_filter"), visitor.filter("imagen4", 4))
    assert empty.media is None
    await visitor.press(empty, visitor.filter("imagen4", 4))
    gallery = await visitor.sees("четвёртая", "1 из 4")
    assert gallery.media is not None
    # One gallery message a chat: the one without a picture goes.
    await visitor.user.wait_for(
        lambda chat: [each.message_id for each in chat.messages if each.from_bot] == [gallery.message_id]
    )


async def test_a_file_is_uploaded_once(stage: SharedStage) -> None:
    visitor = await stage.visitor("en")
    words = visitor.words
    for prompt in ("one", "two"):
        await visitor.has_made(prompt)
    gallery = await visitor.gallery()
    first = gallery.media
    before = await stage.telegram.uploads()
    await visitor.user.press(gallery, arrow(gallery, "➡️"))
    gallery = await visitor.shows(gallery, "2 of 2")
    assert await stage.telegram.uploads() == before + 1
    await visitor.user.press(gallery, arrow(gallery, "⬅️"))
    gallery = await visitor.shows(gallery, "1 of 2")
    assert first is not None
    assert gallery.media is not None
    assert gallery.media.file_id == first.file_id
    gallery = await visitor.gallery()
    await visitor.press(gallery, words("actions"))
    gallery = await visitor.shows(gallery, words("save"))
    assert await stage.telegram.uploads() == before + 1
    for _ in range(2):
        await visitor.press(gallery, words("save"))
    document = await visitor.user.wait_for(
        lambda chat: (
            len(found := [each for each in chat.messages if each.media and each.media.kind == "document"]) == 2
            and found[1]
        )
    )
    assert isinstance(document, MessageView)
    assert document.media is not None
    assert document.media.mime_type == "image/png"
    assert await stage.telegram.uploads() == before + 2
    item = (await visitor.client.list_items(visitor.user_id)).items[0]
    assert document.media.sha256 == item.media.sha256


async def test_videos_and_pictures_in_one_message(stage: SharedStage) -> None:
    visitor = await stage.visitor()
    await visitor.client.generate(visitor.user_id, "video", "волны")
    await visitor.has_made("лодка")
    gallery = await visitor.gallery()
    await visitor.user.press(gallery, arrow(gallery, "➡️"))
    gallery = await visitor.shows(gallery, "волны", "2 из 2")
    item = (await visitor.client.list_items(visitor.user_id, type="video")).items[0]
    assert gallery.media is not None
    assert gallery.media.kind == "video"
    assert (gallery.media.width, gallery.media.height) == (item.media.width, item.media.height)
    assert gallery.media.duration_seconds == round(item.media.duration_seconds)
    await visitor.user.press(gallery, arrow(gallery, "⬅️"))
    gallery = await visitor.shows(gallery, "лодка", "1 из 2")
    assert gallery.media is not None
    assert gallery.media.kind == "photo"


async def test_an_id_that_telegram_has_forgotten_is_uploaded_again(stage: SharedStage) -> None:
    visitor = await stage.visitor()
    await visitor.has_made("забытая")
    await visitor.gallery()
    item = (await visitor.client.list_items(visitor.user_id)).items[0]
    await stage.shared.file_ids.put(item.media.key, "photo", "AgAD-not-an-id-of-this-bot")
    gallery = await visitor.gallery()
    assert gallery.media is not None
    kept = await stage.shared.file_ids.get(item.media.key, "photo")
    assert kept == gallery.media.file_id


async def test_favourites_trash_and_back(stage: SharedStage) -> None:
    visitor = await stage.visitor()
    words = visitor.words
    for prompt in ("первая", "вторая", "третья"):
        await visitor.has_made(prompt)
    gallery = await visitor.gallery()
    await visitor.user.press(gallery, arrow(gallery, "➡️"))
    gallery = await visitor.shows(gallery, "2 из 3")
    await visitor.press(gallery, words("actions"))
    gallery = await visitor.shows(gallery, words("favorite_add"))
    pressed = await visitor.press(gallery, words("favorite_add"))
    assert pressed.text == words("favorite_added")
    gallery = await visitor.shows(gallery, "⭐", words("favorite_remove"))
    await visitor.press(gallery, words("delete"))
    gallery = await visitor.shows(gallery, words("deleted"), "первая", "2 из 2")
    await visitor.press(gallery, words("undo"))
    gallery = await visitor.shows(gallery, words("restored"), "вторая", "2 из 3")
    await visitor.press(gallery, f"⭐ {words('favorites')} 1")
    gallery = await visitor.shows(gallery, "вторая", "1 из 1")
    await visitor.press(gallery, words("actions"))
    gallery = await visitor.shows(gallery, words("delete"))
    await visitor.press(gallery, words("delete"))
    empty = await visitor.sees(words("empty_filter"), f"🗑️ {words('title_trash')} 1")
    await visitor.press(empty, words("title_trash"))
    trash = await visitor.sees(words("in_trash"), "вторая", words("restore"))
    await visitor.press(trash, words("restore"))
    emptied = await visitor.sees(words("empty_trash"))
    await visitor.press(emptied, words("to_gallery"))
    await visitor.sees("третья", "1 из 3")


async def test_links_lead_to_an_item_among_its_neighbours(stage: SharedStage) -> None:
    visitor, other = await asyncio.gather(stage.visitor(), stage.visitor())
    words = visitor.words
    items = [(await visitor.has_made(prompt)).items[0] for prompt in ("первая", "вторая", "третья")]
    payload = item_payload(items[1].item_id)
    await visitor.user.start(payload)
    gallery = await visitor.sees("вторая", "2 из 3")
    await visitor.user.press(gallery, arrow(gallery, "⬅️"))
    await visitor.shows(gallery, "третья", "1 из 3")
    await other.user.start(payload)
    await other.sees(words("not_found_text"))
    await other.user.start("new")
    await other.sees(words("create_heading"))
    await other.user.start("new_video")
    await other.sees(words("prompt_help_video"))
    await other.user.start("gallery")
    await other.sees(words("empty_gallery"))


async def test_opening_it_again_shows_what_is_new_in_place_of_the_old_message(stage: SharedStage) -> None:
    visitor = await stage.visitor()
    await visitor.has_made("первая")
    old = await visitor.gallery()
    await visitor.has_made("вторая")
    gallery = await visitor.gallery()
    assert "вторая" in gallery.text
    assert "1 из 2" in gallery.labels
    await visitor.user.wait_for(lambda chat: old.message_id not in [each.message_id for each in chat.messages])


async def test_a_gallery_whose_message_was_deleted_comes_anew(stage: SharedStage) -> None:
    visitor = await stage.visitor()
    await visitor.has_made("первая")
    gallery = await visitor.gallery()
    await visitor.press(gallery, visitor.words("actions"))
    await visitor.shows(gallery, visitor.words("delete"))
    await stage.shared.bot.delete_message(visitor.user.user_id, gallery.message_id)
    gallery = await visitor.gallery()
    assert gallery.media is not None


async def test_the_words_can_be_copied_whole(stage: SharedStage) -> None:
    visitor = await stage.visitor()
    words, prompt = visitor.words, "очень " * 250 + "длинно"
    await visitor.has_made(prompt)
    gallery = await visitor.gallery()
    assert prompt not in gallery.text
    assert "…" in gallery.text
    await visitor.press(gallery, words("actions"))
    gallery = await visitor.shows(gallery, words("show_words"))
    await visitor.press(gallery, words("show_words"))
    whole = await visitor.sees(prompt, words("tap_to_copy"))
    assert "code" in {entity["type"] for entity in whole.entities}
