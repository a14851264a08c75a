"""The whole story in a real browser, in both languages, at a phone's and a desktop's size; axe finds nothing."""

from __future__ import annotations

import io

import pytest
from PIL import Image, ImageDraw
from playwright.async_api import Browser, FilePayload, expect

from clients.words import Language
from tests.e2e.web.story import BOUND_SECONDS, DESKTOP, PHONE, Site, Visitor, visiting


@pytest.mark.parametrize(
    ("language", "size", "scheme"),
    [("ru", PHONE, "light"), ("en", DESKTOP, "dark"), ("ru", DESKTOP, "light"), ("en", PHONE, "dark")],
)
async def test_a_picture_is_made_found_deleted_restored_and_paid(
    browser: Browser, site: Site, language: Language, size: tuple[int, int], scheme: str
) -> None:
    async with visiting(browser, site, language, size, scheme=scheme) as visitor:
        await _asks_for_a_picture(visitor)
        await _looks_at_it(visitor)
        await _deletes_and_restores(visitor)
        await _reads_the_statement(visitor)


async def _asks_for_a_picture(visitor: Visitor) -> None:
    page, words = visitor.page, visitor.words
    await visitor.look("1-empty")
    await page.click("#create-imagen4")
    await page.fill("#prompt", "рыжий кот на крыше")
    assert await page.inner_text("#price") == words.count("credits", 5)
    await page.check("input[name=output_count][value='2']")
    assert await page.inner_text("#price") == words.count("credits", 10)
    assert await page.inner_text("#stays") == words.count("credits", 190)
    await page.check("input[name=output_count][value='1']")
    await visitor.look("2-order")
    await page.click("#send")
    await visitor.result()
    await visitor.shown(words("state_succeeded"))
    await visitor.shown(words("improved_words"))
    await visitor.balance(195)
    await visitor.look("3-made")


async def _looks_at_it(visitor: Visitor) -> None:
    page, words = visitor.page, visitor.words
    await visitor.open("/")
    await page.click("#filter-imagen4")
    await page.wait_for_selector("#filter-imagen4[aria-current]")
    assert await page.inner_text("#filter-imagen4 .count") == "1"
    await visitor.look("4-gallery")
    await page.click(".card a")
    await page.click("#favorite")
    await visitor.shown(words("favorite_remove"))
    await visitor.shown("fal-ai/imagen4/preview")
    await visitor.look("5-item")
    async with page.expect_download() as download:
        await page.click("#download")
    assert (await (await download.value).path()).stat().st_size > 1000


async def _deletes_and_restores(visitor: Visitor) -> None:
    page, words = visitor.page, visitor.words
    await page.click("#delete")
    await visitor.shown(words("deleted"))
    await page.click("#undo")
    await visitor.shown(words("restored"))
    await page.wait_for_selector(".card")
    await page.click(".card a")
    await page.click("#delete")
    await visitor.open("/trash")
    await visitor.look("6-trash")
    await page.click(".card form button")
    await visitor.shown(words("restored"))
    await visitor.open("/?type=imagen4")
    await page.wait_for_selector(".card")


async def _reads_the_statement(visitor: Visitor) -> None:
    words = visitor.words
    await visitor.order("море [sandbox:content-policy-violation]")
    await visitor.result()
    await visitor.shown(words.count("returned", 5))
    await visitor.balance(195)
    await visitor.look("7-failed")
    await visitor.open("/statement")
    await visitor.shown(words("refund_failed", credits=words.count("returned", 5)))
    await visitor.look("8-statement")


async def test_an_avatar_from_a_photo_then_another_and_other_words(browser: Browser, site: Site) -> None:
    async with visiting(browser, site) as visitor:
        page, words = visitor.page, visitor.words
        await visitor.open("/create/avatar")
        await page.fill("#prompt", "я в горах на рассвете")
        await page.click("#send")
        await visitor.shown(words("reference_missing"))
        await visitor.look("avatar-1-photo-missing")
        photo = FilePayload(name="me.png", mimeType="image/png", buffer=_photo())
        await page.set_input_files("#reference", photo)
        await page.wait_for_selector("#reference-preview[src^='blob:']")
        await page.click("#send")
        await visitor.result()
        await page.click(".result")
        await page.click("#another")
        await visitor.result()
        await visitor.balance(180)
        await page.click(".result")
        await page.click("#change-words")
        await visitor.shown(words("reference_kept"))
        assert await page.input_value("#prompt") == "я в горах на рассвете"
        await visitor.look("avatar-2-other-words")


def _photo() -> bytes:
    image = Image.new("RGB", (480, 480), "#8fb3c9")
    draw = ImageDraw.Draw(image)
    draw.ellipse((140, 90, 340, 340), fill="#e9c3a6")
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


async def test_a_video_plays(browser: Browser, site: Site) -> None:
    async with visiting(browser, site, size=DESKTOP) as visitor:
        await visitor.order("волны ночью", type_name="video")
        await visitor.result()
        await visitor.page.click(".result")
        await visitor.page.wait_for_selector("video")
        await expect(visitor.page.locator("video")).to_have_js_property("readyState", 4, timeout=BOUND_SECONDS * 1000)
        await visitor.look("video")
        source = await visitor.page.get_attribute("video source", "src")
        answer = await visitor.page.request.get(visitor.site.url + str(source), headers={"range": "bytes=10-29"})
        assert answer.status == 206
        assert len(await answer.body()) == 20
