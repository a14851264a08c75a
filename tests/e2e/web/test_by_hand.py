"""Ways in, out and back: signing out, addresses that run out, copying without TLS, keys that can be put off."""

from __future__ import annotations

from playwright.async_api import Browser, Page, expect

from clients.sdk import AsyncTriptych
from clients.web.links import MediaLinks
from tests.e2e.web.story import BOUND_SECONDS, DESKTOP, Site, Visitor, visiting

PATIENT = BOUND_SECONDS * 1000


async def test_an_item_by_hand_and_by_keys(browser: Browser, site: Site) -> None:
    async with visiting(browser, site, "ru", DESKTOP) as visitor, AsyncTriptych(site.api) as client:
        made = await client.generate(visitor.user_id, "imagen4", "домик в горах зимой")
        item_id = made.require_success().items[0].item_id
        await visitor.open(f"/items/{item_id}")
        await _keeps_the_focus_on_what_was_pressed(visitor)
        await _says_that_a_press_did_not_arrive(visitor)
        await _copies_without_tls(visitor)
        await _has_letter_keys_that_can_be_put_off(visitor)
        await _files_run_out_and_downloads_do_not(visitor, item_id)
        await _reads_out_what_was_done(visitor, item_id)


async def _keeps_the_focus_on_what_was_pressed(visitor: Visitor) -> None:
    await visitor.page.focus("#favorite")
    await visitor.page.keyboard.press("Enter")
    await visitor.shown(visitor.words("favorite_remove"))
    await expect(visitor.page.locator("#favorite")).to_be_focused(timeout=PATIENT)


async def _says_that_a_press_did_not_arrive(visitor: Visitor) -> None:
    """Also on a page that has no stream of what is new, which would notice it."""
    page, connection = visitor.page, visitor.page.locator("#connection")
    for pattern in ("**/favorite", "**/healthz"):
        await page.route(pattern, lambda route: route.abort())
    await page.click("#favorite")
    await connection.filter(has_text=visitor.words("offline")).wait_for()
    await page.unroute_all()
    await connection.filter(has_text=visitor.words("offline")).wait_for(state="hidden")


async def _copies_without_tls(visitor: Visitor) -> None:
    page = visitor.page
    await page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    await page.click("#copy")
    await expect(page.locator("#copy")).to_contain_text(visitor.words("copied"), timeout=PATIENT)
    assert "домик в горах зимой" in await page.evaluate("getSelection().toString()")


async def _has_letter_keys_that_can_be_put_off(visitor: Visitor) -> None:
    page = visitor.page
    await page.keyboard.press("KeyN")
    await page.wait_for_selector("#prompt")
    await page.go_back()
    await page.wait_for_selector("#favorite")
    await page.keyboard.press("?")
    await page.uncheck("#letters")
    await page.keyboard.press("Escape")
    await page.wait_for_selector("#keys", state="hidden")
    await expect(page.locator("#favorite")).to_be_visible()
    assert not await _is_taken(page, "KeyG")
    await page.reload()
    assert not await _is_taken(page, "KeyG"), "it is remembered"
    await page.keyboard.press("?")
    await page.check("#letters")
    await page.keyboard.press("Escape")
    assert await _is_taken(page, "KeyF")


async def _is_taken(page: Page, code: str) -> bool:
    """Whether a key does something here."""
    pressed = f"new KeyboardEvent('keydown', {{ code: '{code}', key: 'x', bubbles: true, cancelable: true }})"
    return not await page.evaluate(f"document.body.dispatchEvent({pressed})")


async def _files_run_out_and_downloads_do_not(visitor: Visitor, item_id: str) -> None:
    page, url = visitor.page, visitor.site.url
    picture = str(await page.get_attribute(".large img", "src"))
    assert (await page.request.get(url + picture)).status == 200
    old = MediaLinks(visitor.site.secret, 3600).path(visitor.user_id, item_id, "original", now=0.0)
    assert (await page.request.get(url + old)).status == 404
    saved = await page.request.get(f"{url}{await page.get_attribute('#download', 'href')}")
    assert saved.headers["content-disposition"].startswith("attachment")


async def _reads_out_what_was_done(visitor: Visitor, item_id: str) -> None:
    page, w = visitor.page, visitor.words
    await page.click("#delete")
    await expect(page.locator("#announcer")).to_have_text(w("deleted"), timeout=PATIENT)
    await visitor.open(f"/items/{item_id}")
    await visitor.shown(w("in_trash"))
    await visitor.look("item-in-trash")
    await page.click("#restore")
    await expect(page.locator("#announcer")).to_have_text(w("restored"), timeout=PATIENT)


async def test_signing_out_and_being_signed_out(browser: Browser, site: Site) -> None:
    async with visiting(browser, site) as visitor:
        page, w = visitor.page, visitor.words
        await visitor.open("/items/none")
        await _leads_to_the_gallery(page, w("to_gallery"))
        cookies = await page.context.cookies()
        await page.context.clear_cookies()
        await page.click("#filter-video")  # What a script fetches is not there: the page says why.
        await visitor.shown(w("signed_out_title"))
        await visitor.look("signed-out")
        await page.context.add_cookies([{**cookie} for cookie in cookies])  # type: ignore[typeddict-item]
        await visitor.open("/")
        await page.get_by_role("button", name=w("sign_out")).click()
        await visitor.shown(w("signed_out_title"))
        answer = await page.request.get(site.url)
        assert answer.status == 401


async def _leads_to_the_gallery(page: Page, name: str) -> None:
    await page.get_by_role("link", name=name).click()
    await page.wait_for_selector("#gallery")
