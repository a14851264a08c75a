"""Orders: every kind, switches, what is refused, what fails and comes back, and that a double tap costs nothing."""

from __future__ import annotations

import asyncio
import io

import pytest
from PIL import Image

from clients.words import Language
from tests.e2e.telegram.stage import Stage
from tests.support.telegram import ChatView


def a_photo() -> bytes:
    target = io.BytesIO()
    Image.new("RGB", (640, 800), (200, 150, 120)).save(target, "JPEG")
    return target.getvalue()


async def test_a_photo_with_me_and_a_video(stage: Stage) -> None:
    visitor = await stage.visitor("ru", 100)
    words = visitor.words
    await visitor.user.send("/new")
    menu = await visitor.sees(words("create_heading"))
    await visitor.press(menu, words("create_avatar"))
    await visitor.shows(menu, words("ask_photo"))
    await visitor.user.send("вот моё фото")
    await visitor.sees(words("photo_wanted"))
    await visitor.user.send_photo(a_photo())
    await visitor.sees(words("prompt_help_avatar"))
    summary = await visitor.describes("я в горах на рассвете")
    assert words("photo_kept") in summary.text
    assert visitor.credits(10) in summary.text
    await visitor.confirms(summary)
    await visitor.sees(words("one_avatar"), words("open_in_gallery"))
    await visitor.user.start("new_video")
    await visitor.sees(words("prompt_help_video"))
    summary = await visitor.describes("волны ночью")
    await visitor.confirms(summary)
    video = await visitor.sees(words("one_video"), words("open_in_gallery"))
    assert video.media is not None
    assert video.media.kind == "video"
    assert video.media.duration_seconds > 0
    assert await visitor.balance() == 50
    gallery = await visitor.gallery()
    assert visitor.filter("avatar", 1) in gallery.labels
    assert visitor.filter("video", 1) in gallery.labels
    # From the video to the photo in the same message.
    older = next(button.data for row in gallery.buttons for button in row if button.text == "➡️")
    await visitor.user.press(gallery, older)
    gallery = await visitor.shows(gallery, words("one_avatar"), "2 из 2")
    assert gallery.media is not None
    assert gallery.media.kind == "photo"


async def test_switches_of_the_summary(stage: Stage) -> None:
    visitor = await stage.visitor("en")
    words = visitor.words
    summary = await visitor.describes("a house by the sea")
    await visitor.press(summary, words("own_words"))
    summary = await visitor.shows(summary, f"✅ {words('own_words')}")
    await visitor.press(summary, "🔢")
    choices = await visitor.shows(summary, words("choose_count"))
    await visitor.press(choices, f"2 · {visitor.credits(10)}")
    summary = await visitor.shows(summary, words("confirm", credits=visitor.credits(10)))
    await visitor.press(summary, "🔲")
    choices = await visitor.shows(summary, words("choose_shape"))
    await visitor.press(choices, "16:9")
    summary = await visitor.shows(summary, "16:9", words("your_words"))
    await visitor.press(summary, words("change_words"))
    await visitor.shows(summary, words("ask_words_again"))
    summary = await visitor.describes("a house by the lake")
    await visitor.confirms(summary)
    await visitor.shows(summary, words("state_succeeded"), words("own_words_used"), visitor.credits(190))
    made = (await visitor.client.list_generations(visitor.user_id)).items[0]
    assert (made.prompt, made.aspect_ratio, made.output_count) == ("a house by the lake", "16:9", 2)
    assert not made.enhance_prompt
    await visitor.user.wait_for(lambda chat: len(pictures(chat)) == 2)


def pictures(chat: ChatView) -> list[int]:
    return [each.message_id for each in chat.messages if each.media is not None]


@pytest.mark.parametrize("language", ["ru", "en"])
async def test_a_failure_is_told_with_its_refund(stage: Stage, language: Language) -> None:
    visitor = await stage.visitor(language, 20)
    words = visitor.words
    summary = await visitor.describes("дом [sandbox:no-outputs]")
    await visitor.confirms(summary)
    failed = await visitor.sees(words("state_failed"), words("try_again"))
    await visitor.user.wait_for(lambda chat: summary.message_id not in [each.message_id for each in chat.messages])
    assert words.count("returned", 5) + "." in failed.text
    assert words("balance_now", credits=visitor.credits(20)) in failed.text
    made = (await visitor.client.list_generations(visitor.user_id)).items[0]
    assert made.failure is not None
    assert made.failure.message.in_language(language) in failed.text
    await visitor.user.send("/statement")
    await visitor.sees(words("refund_failed", credits=words.count("returned", 5)))
    await visitor.press(failed, words("try_again"))
    again = await visitor.sees(words("confirm", credits=visitor.credits(5)), "дом")
    assert again.message_id > failed.message_id


async def test_half_of_it_is_told_with_its_refund(stage: Stage) -> None:
    visitor = await stage.visitor("ru", 100)
    words = visitor.words
    summary = await visitor.describes("дом [sandbox:two-of-four]")
    await visitor.press(summary, "🔢")
    choices = await visitor.shows(summary, words("choose_count"))
    await visitor.press(choices, f"4 · {visitor.credits(20)}")
    summary = await visitor.shows(summary, words("confirm", credits=visitor.credits(20)))
    await visitor.confirms(summary)
    await visitor.shows(
        summary,
        words("partial", delivered=2, asked=4),
        words.count("returned", 10),
        words("balance_now", credits=visitor.credits(90)),
    )


async def test_a_place_in_the_queue_and_cancelling(stage: Stage) -> None:
    visitor = await stage.visitor("ru", 20)
    words = visitor.words
    summary = await visitor.describes("дом [sandbox:stuck-in-queue]")
    await visitor.confirms(summary)
    making = await visitor.shows(summary, words("place", place="").strip(), words("cancel"))
    assert await visitor.balance() == 15
    await visitor.press(making, words("cancel"))
    await visitor.shows(summary, words("state_cancelled"), words.count("returned", 5), visitor.credits(20))


async def test_a_double_tap_costs_nothing(stage: Stage) -> None:
    visitor = await stage.visitor("ru", 200)
    words = visitor.words
    summary = await visitor.describes("красный дом")
    presses = await asyncio.gather(
        *(visitor.user.press(summary, f"✨ {words('confirm', credits=visitor.credits(5))}") for _ in range(3))
    )
    assert sorted(press.text for press in presses) == sorted(
        [words("order_taken"), words("already_ordered"), words("already_ordered")]
    )
    await visitor.shows(summary, words("state_succeeded"))
    assert await visitor.balance() == 195
    assert len((await visitor.client.list_generations(visitor.user_id)).items) == 1


async def test_an_order_that_was_put_aside_is_not_sent(stage: Stage) -> None:
    visitor = await stage.visitor()
    summary = await visitor.describes("красный дом")
    await visitor.user.start()
    await visitor.sees(visitor.words("welcome"))
    assert (await visitor.confirms(summary)).text == visitor.words("out_of_date")
    summary = await visitor.user.wait_for_message(
        lambda each: each.message_id == summary.message_id and not each.buttons
    )
    await visitor.describes("синий дом")
    assert await visitor.balance() == 200


async def test_one_more_has_the_same_settings_and_another_seed(stage: Stage) -> None:
    visitor = await stage.visitor()
    words = visitor.words
    first = await visitor.has_made("маяк", aspect_ratio="9:16", enhance_prompt=False)
    gallery = await visitor.gallery()
    await visitor.press(gallery, words("actions"))
    gallery = await visitor.shows(gallery, words("another_for", credits=visitor.credits(5)))
    await visitor.press(gallery, words("another_for", credits=visitor.credits(5)))
    summary = await visitor.sees(words("same_settings"), "маяк", "9:16")
    assert await visitor.balance() == 195
    await visitor.confirms(summary)
    await visitor.shows(summary, words("state_succeeded"))
    second = (await visitor.client.list_generations(visitor.user_id)).items[0]
    assert (second.prompt, second.aspect_ratio, second.enhance_prompt) == ("маяк", "9:16", False)
    assert second.seed is not None
    assert second.seed != first.seed


async def test_changed_words_begin_with_those_there_were(stage: Stage) -> None:
    visitor = await stage.visitor()
    words = visitor.words
    await visitor.has_made("маяк")
    gallery = await visitor.gallery()
    await visitor.press(gallery, words("actions"))
    gallery = await visitor.shows(gallery, words("change_words"))
    await visitor.press(gallery, words("change_words"))
    await visitor.sees(words("ask_words_again"), "маяк")
    summary = await visitor.describes("маяк ночью")
    await visitor.press(summary, words("cancel_draft"))
    await visitor.shows(summary, words("draft_dropped"))
    assert await visitor.balance() == 195


async def test_what_cannot_be_is_said_and_nothing_is_taken(stage: Stage) -> None:
    visitor = await stage.visitor("ru", 3)
    words = visitor.words
    await visitor.user.send("дом")
    summary = await visitor.sees(words("not_enough", price=visitor.credits(5)))
    pressed = await visitor.press(summary, "✨")
    assert pressed.is_alert
    assert pressed.text == words("too_expensive", price=visitor.credits(5), balance=visitor.credits(3))
    await visitor.user.send("д" * 2001)
    await visitor.sees(words("prompt_long", limit=2000))
    await visitor.user.send("/anything")
    await visitor.sees(words("only_words"))
    await visitor.user.send_document(b"no picture", "photo.txt")
    await visitor.user.send("/balance")
    await visitor.sees(words("balance_title"), visitor.credits(3))


async def test_the_statement_has_pages(stage: Stage) -> None:
    visitor = await stage.visitor("en", 5)
    words = visitor.words
    for number in range(9):
        await visitor.client.grant_credits(visitor.user_id, number + 10)
    await visitor.balance()  # Answers once others see them, too.
    await visitor.user.send("/statement")
    page = await visitor.sees(words("title_statement"), words.count("given", 18))
    assert words.count("given", 5) not in page.text.replace(words.count("given", 15), "")
    await visitor.press(page, words("older"))
    page = await visitor.shows(page, words.count("given", 5), words("newer"))
    await visitor.press(page, words("newer"))
    await visitor.shows(page, words.count("given", 18))
    await visitor.user.send("/help")
    await visitor.sees(words("help_title"))
