"""What must hold besides the story: one charge for two clicks, keys, lost connections, live pages, safety."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from playwright.async_api import Browser, Page, Route, expect

from clients.sdk import AsyncTriptych
from tests.e2e.web.story import BOUND_SECONDS, DESKTOP, Site, Visitor, running_site, visiting
from tests.support.relay import Relay
from tests.support.system import RunningSystem

THUMBNAILS = "[...document.querySelectorAll('.card img')]"
PLACES = """[...document.querySelectorAll('.card, .pager, footer')].map((each) => {
  const box = each.getBoundingClientRect();
  return [box.left + scrollX, box.top + scrollY, box.width, box.height].map(Math.round);
})"""


async def test_sent_twice_is_one_order_and_changed_words_are_a_new_one(browser: Browser, site: Site) -> None:
    async with visiting(browser, site) as visitor:
        page, words = visitor.page, visitor.words
        await visitor.open("/create/imagen4")
        await page.fill("#prompt", "красный дом")
        values = await page.evaluate("Object.fromEntries(new FormData(document.querySelector('.order')))")
        form = {name: str(value) for name, value in values.items()}
        answers = await asyncio.gather(
            *(page.request.post(f"{site.url}/create/imagen4", multipart=dict(form)) for _ in range(3))
        )
        assert {answer.status for answer in answers} == {200}
        assert len({answer.url for answer in answers}) == 1
        await page.fill("#prompt", "синий дом")
        await page.click("#send")
        await visitor.shown(words("changed_since"))
        await visitor.balance(195)
        await page.click("#send")
        await visitor.result()
        await visitor.balance(190)


async def test_too_expensive_is_said_and_nothing_is_taken(browser: Browser, site: Site) -> None:
    async with visiting(browser, site, credits=7) as visitor:
        await visitor.open("/create/imagen4")
        await visitor.page.fill("#prompt", "дом")
        await visitor.page.check("input[name=output_count][value='2']")
        await visitor.page.click("#send")
        words = visitor.words
        price, balance = words.count("credits", 10), words.count("credits", 7)
        await visitor.shown(words("too_expensive", price=price, balance=balance))
        await visitor.balance(7)


async def test_pages_by_keys_and_new_pictures_by_themselves(browser: Browser, site: Site) -> None:
    async with visiting(browser, site, "en", DESKTOP, credits=500) as visitor, AsyncTriptych(site.api) as client:
        page = visitor.page
        await visitor.shown(visitor.words("empty_gallery"))
        made = [client.generate(visitor.user_id, "imagen4", f"tree {n}", output_count=4) for n in range(7)]
        await asyncio.gather(*made)
        await page.locator("#filter-all .count", has_text="28").wait_for()  # Nothing was reloaded.
        await visitor.balance(360)
        assert await page.locator(".card").count() == 24
        await page.keyboard.press("ArrowRight")
        await expect(page.locator(".card")).to_have_count(4, timeout=BOUND_SECONDS * 1000)
        await page.keyboard.press("ArrowLeft")
        await expect(page.locator(".card")).to_have_count(24, timeout=BOUND_SECONDS * 1000)
        await _nothing_jumps_as_thumbnails_come(visitor)
        await _the_focus_stays_on_the_pager(page)
        ids = await page.eval_on_selector_all(".card", "cards => cards.map(card => card.id)")
        await page.locator(".card a").nth(23).click()
        await page.wait_for_selector("#favorite")
        await page.keyboard.press("ArrowRight")  # Over the edge of the page.
        last = re.compile(ids[23].removeprefix("card-"))
        await expect(page).not_to_have_url(last, timeout=BOUND_SECONDS * 1000)
        await page.keyboard.press("ArrowLeft")
        await expect(page).to_have_url(last, timeout=BOUND_SECONDS * 1000)
        await page.wait_for_selector("#favorite")
        await page.keyboard.press("?")
        await page.wait_for_selector("#keys[open]")
        await visitor.look("keys")
        # What is new pushes it to the next page of the list: there are neighbours still.
        await client.generate(visitor.user_id, "imagen4", "a new tree", output_count=2)
        await page.reload()
        await page.wait_for_selector("#newer")
        await page.wait_for_selector("#older")


async def _the_focus_stays_on_the_pager(page: Page) -> None:
    """Also at the end, where the link that was pressed is gone."""
    await page.focus("#older")
    await page.keyboard.press("Enter")
    await expect(page.locator(".card")).to_have_count(4, timeout=BOUND_SECONDS * 1000)
    await expect(page.locator("#newer")).to_be_focused(timeout=BOUND_SECONDS * 1000)
    await page.keyboard.press("Enter")
    await expect(page.locator(".card")).to_have_count(24, timeout=BOUND_SECONDS * 1000)
    await expect(page.locator("#older")).to_be_focused(timeout=BOUND_SECONDS * 1000)


async def _nothing_jumps_as_thumbnails_come(visitor: Visitor) -> None:
    page, let_come = visitor.page, asyncio.Event()

    async def hold(route: Route) -> None:
        await let_come.wait()
        await route.continue_()

    await page.route("**/media/*", hold)
    await page.goto(visitor.site.url, wait_until="domcontentloaded")
    before = await page.evaluate(PLACES)
    assert await page.evaluate(f"({THUMBNAILS}).some((each) => each.naturalWidth > 0)") is False
    let_come.set()
    await page.locator(".card").last.scroll_into_view_if_needed()
    await page.wait_for_function(f"({THUMBNAILS}).every((each) => each.complete && each.naturalWidth > 0)")
    assert await page.evaluate(PLACES) == before
    await page.unroute_all()


async def test_a_lost_connection_is_said_and_comes_back(browser: Browser, site: Site) -> None:
    async with visiting(browser, site) as visitor:
        page, words = visitor.page, visitor.words
        await page.wait_for_load_state()
        await page.context.set_offline(True)
        await visitor.shown(words("offline"))
        await page.context.set_offline(False)
        await page.locator("#connection", has_text=words("offline")).wait_for(state="hidden")


async def test_a_service_that_went_away_is_said_and_comes_back(
    browser: Browser, system: RunningSystem, tmp_path: Path
) -> None:
    async with Relay() as relay:
        relay.target = system.address
        with running_site(relay.address, tmp_path) as site:
            async with visiting(browser, site) as visitor:
                words, connection = visitor.words, visitor.page.locator("#connection")
                relay.target = ""
                await relay.cut()
                await connection.filter(has_text=words("offline")).wait_for()
                answer = await visitor.page.request.get(
                    site.url, headers={"accept-language": "ru"}, timeout=BOUND_SECONDS * 1000
                )
                assert answer.status == 503
                assert words("away_title") in await answer.text()
                relay.target = system.address
                await connection.filter(has_text=words("offline")).wait_for(state="hidden")


async def test_strangers_and_forged_forms_are_refused(browser: Browser, site: Site) -> None:
    async with visiting(browser, site) as visitor, visiting(browser, site) as other:
        request = visitor.page.request
        forged = await request.post(f"{site.url}/create/imagen4", multipart={"prompt": "дом", "request_id": "x"})
        assert forged.status == 403
        await visitor.balance(200)
        policy = (await request.get(site.url)).headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        await other.order("чужая картинка")
        await other.result()
        theirs = other.page.url
        assert (await request.get(theirs)).status == 404
        stranger = await browser.new_context()
        try:
            answer = await stranger.request.get(theirs, headers={"accept-language": "ru"})
            assert answer.status == 401
            assert visitor.words("signed_out_title") in await answer.text()
            assert (await stranger.request.get(f"{site.url}/media/x")).status == 404
        finally:
            await stranger.close()


async def test_the_language_is_chosen_and_remembered(browser: Browser, site: Site) -> None:
    async with visiting(browser, site) as visitor:
        await visitor.page.click("button[value=en]")
        await visitor.page.wait_for_selector("html[lang=en]")
        await visitor.open("/statement")
        await visitor.page.wait_for_selector("html[lang=en]")
