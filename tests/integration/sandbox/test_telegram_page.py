"""The page on which a person plays a user of Telegram, in a real browser before a bot that is played by hand."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from playwright.async_api import Page, async_playwright, expect

from tests.e2e.web.story import CHROMIUM_ARGUMENTS
from tests.support.bot_api import Calls, buttons, clip, picture
from tests.support.telegram import BOUND_SECONDS

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
MILLISECONDS = BOUND_SECONDS * 1000


@pytest.fixture
async def page(api: Calls) -> AsyncIterator[Page]:
    if CHROMIUM is None:
        pytest.skip("no Chromium here: apt-get install chromium")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(CHROMIUM_ARGUMENTS), timeout=MILLISECONDS
        )
        page = await browser.new_page()
        page.set_default_timeout(MILLISECONDS)
        yield page
        await browser.close()


async def heard(api: Calls, kind: str) -> dict[str, Any]:
    """The next update of a kind; what was before is passed over."""
    offset = 0
    while True:
        for update in await api.ok("getUpdates", offset=offset, timeout=50):
            offset = update["update_id"] + 1
            if kind in update:
                await api.ok("getUpdates", offset=offset)
                found: dict[str, Any] = update[kind]
                return found


@pytest.mark.timeout(300)
async def test_a_person_writes_sees_and_presses(api: Calls, page: Page) -> None:
    commands = [{"command": "start", "description": "Начать"}]
    await api.ok("setMyCommands", commands=commands, language_code="ru")
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    await page.goto(f"{api.people.control_url}/chats/77")
    await page.get_by_label("Language").select_option("ru")
    await page.get_by_role("button", name="Начать").click()
    started = await heard(api, "message")
    assert (started["text"], started["from"]["language_code"]) == ("/start", "ru")

    hello = "<b>Привет</b>, <i>🎨</i> &lt;script&gt; /help"
    menu = buttons("Yes", "No")
    sent = await api.ok("sendMessage", chat_id=77, text=hello, parse_mode="HTML", reply_markup=menu)
    message = page.locator(f"article[data-id='{sent['message_id']}']")
    await expect(message.locator(".text")).to_have_text("Привет, 🎨 <script> /help", timeout=MILLISECONDS)
    await expect(message.locator("b")).to_have_text("Привет", timeout=MILLISECONDS)

    await message.get_by_role("button", name="Yes").click()
    query = await heard(api, "callback_query")
    assert query["data"] == "yes"
    await api.ok("answerCallbackQuery", callback_query_id=query["id"], text="Готово")
    await expect(page.locator("#toast")).to_have_text("Готово", timeout=MILLISECONDS)

    media = {"type": "photo", "media": "attach://p", "caption": "ready"}
    place = {"chat_id": 77, "message_id": sent["message_id"]}
    await api.ok("editMessageMedia", {"p": picture()}, **place, media=media)
    await expect(message.locator(".text")).to_have_text("ready", timeout=MILLISECONDS)
    width = "image => image.decode().then(() => image.naturalWidth)"
    assert await message.locator("img").evaluate(width) == 400
    await expect(message.get_by_role("button")).to_have_count(0, timeout=MILLISECONDS)

    files = [{"name": "я.jpg", "mimeType": "image/jpeg", "buffer": picture(50, 40)}]
    await page.get_by_label("Send a file").last.set_input_files(files)  # type: ignore[arg-type]
    assert (await heard(api, "message"))["photo"][-1]["width"] == 50
    await page.get_by_label("Message", exact=True).fill("Кот")
    await page.keyboard.press("Enter")
    assert (await heard(api, "message"))["text"] == "Кот"

    await api.ok("sendVideo", {"video": clip()}, chat_id=77)
    await expect(page.locator("video")).to_have_count(1, timeout=MILLISECONDS)
    await api.ok("deleteMessage", **place)
    await expect(message).to_have_count(0, timeout=MILLISECONDS)
    assert problems == []


async def test_the_page_is_whole(api: Calls) -> None:
    """What it needs is there, also where no browser is installed."""
    async with httpx.AsyncClient(
        base_url=api.people.control_url, follow_redirects=True, trust_env=False, timeout=BOUND_SECONDS
    ) as http:
        page = await http.get("/")
        assert page.url.path == "/chats/1"
        for path in ("/static/chat.css", "/static/chat.js"):
            assert path in page.text
            assert (await http.get(path)).status_code == 200
