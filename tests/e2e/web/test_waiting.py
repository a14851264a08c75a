"""What somebody sees who waits: the place in the queue, and a failure also when the order's page was closed."""

from __future__ import annotations

import asyncio

from playwright.async_api import Browser, expect

from clients.sdk import AsyncTriptych
from tests.e2e.web.story import BOUND_SECONDS, Site, Visitor, visiting

PATIENT = BOUND_SECONDS * 1000


async def test_the_place_in_the_queue_is_shown_and_read_out_and_a_cancelled_order_costs_nothing(
    browser: Browser, site: Site
) -> None:
    async with visiting(browser, site) as visitor:
        page, w = visitor.page, visitor.words
        await page.emulate_media(reduced_motion="reduce")
        await visitor.open("/create/imagen4")
        await page.fill("#prompt", "дом у моря [sandbox:stuck-in-queue]")
        await page.check("#own_words")
        await page.click("#send")
        place = w("place", place=1).rstrip("1")
        await page.locator(".place", has_text=place).wait_for()
        await expect(page.locator("h1")).to_contain_text(w("state_queued"), timeout=PATIENT)
        await expect(page.locator("#announcer")).to_contain_text(place, timeout=PATIENT)
        await visitor.shown(w("own_words_used"))
        await visitor.balance(195)
        assert await page.evaluate("document.getAnimations().length") == 0
        await page.emulate_media(reduced_motion="no-preference")
        assert await page.evaluate("document.getAnimations().length") > 0, "something moves for those who do not mind"
        await visitor.look("waiting")
        await page.click("#cancel")
        await visitor.shown(w("state_cancelled"))
        await visitor.shown(w.count("returned", 5))
        await visitor.balance(200)


async def test_a_failure_stands_in_the_gallery_until_it_was_seen(browser: Browser, site: Site) -> None:
    async with visiting(browser, site) as visitor, AsyncTriptych(site.api) as client:
        page, w = visitor.page, visitor.words
        card = page.locator(".missed")
        await client.generate(visitor.user_id, "imagen4", "море [sandbox:content-policy-violation]")
        await visitor.open("/")
        await card.get_by_text(w.count("returned", 5)).wait_for()
        await visitor.balance(200)
        await visitor.look("missed")
        await card.get_by_role("button").click()
        await page.wait_for_selector("#gallery")
        await expect(card).to_have_count(0, timeout=PATIENT)
        # One that fails while the gallery is open comes by itself; to open it is to have seen it.
        await client.request_generation(visitor.user_id, "imagen4", "лес [sandbox:content-policy-violation]")
        await visitor.open("/")
        await card.get_by_text(w.count("returned", 5)).wait_for()
        await card.locator("a").click()
        await visitor.shown(w.count("returned", 5))
        await visitor.open("/")
        await expect(card).to_have_count(0, timeout=PATIENT)
        await _sees_it_fail(visitor)
        await visitor.open("/")
        await page.wait_for_selector("#filter-all")
        await expect(card).to_have_count(0, timeout=PATIENT)


async def _sees_it_fail(visitor: Visitor) -> None:
    """On the order's page, which the failure comes to by itself, or where it stood already."""
    told = asyncio.Event()
    visitor.page.on("response", lambda answer: told.set() if answer.request.resource_type == "fetch" else None)
    await visitor.order("луг [sandbox:content-policy-violation]")
    await visitor.result()
    if await visitor.page.get_attribute("#main", "data-live"):
        async with asyncio.timeout(BOUND_SECONDS):
            await told.wait()
