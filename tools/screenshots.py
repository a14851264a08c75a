"""``make screenshots``: the pictures of the web gallery that README and docs/web.md show, taken while it runs.

Everything is started as ``make up`` does it, in a folder that is thrown away; a visitor in headless Chromium makes a
few pictures, and each page is kept in ``docs/images`` as a small PNG with a reduced palette.
"""

from __future__ import annotations

import asyncio
import io
import shutil
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from PIL import Image
from playwright.async_api import Browser, Page, async_playwright

from clients.sdk import AsyncTriptych
from demo.up import Up, bring_up

IMAGES = Path(__file__).resolve().parents[1] / "docs" / "images"
USER = "vera"
PROMPTS = (
    "маяк на скале, шторм",
    "домик в горах зимой",
    "рыжий кот спит на окне",
    "осенний лес и туман",
    "лодка на озере, рассвет",
    "город ночью под дождём",
    "поле подсолнухов",
    "кит под водой",
)
BOUND_MS = 120_000
COLOURS = 200


async def _make(up: Up) -> None:
    async with AsyncTriptych(up.api) as client:
        for prompt in PROMPTS:
            await client.generate(USER, "imagen4", prompt)
        await client.generate(USER, "video", "волны ночью набегают на берег")
        item = (await client.list_items(USER, page_size=3)).items[1]
        await client.favorite_item(USER, item.item_id)


async def _keep(page: Page, name: str) -> None:
    with Image.open(io.BytesIO(await page.screenshot())) as picture:
        picture.convert("RGB").quantize(COLOURS).save(IMAGES / f"{name}.png", optimize=True)


async def _sign_in(browser: Browser, up: Up) -> Page:
    context = await browser.new_context(viewport={"width": 390, "height": 844}, locale="ru-RU")
    context.set_default_timeout(BOUND_MS)
    page = await context.new_page()
    await page.goto(up.link)
    await page.click("#sign-in")
    await page.wait_for_selector("#gallery")
    return page


async def _take(up: Up, browser: Browser) -> None:
    page = await _sign_in(browser, up)
    await _make(up)
    await page.goto(f"{up.web}/")
    await page.wait_for_load_state("networkidle")
    await _keep(page, "web-phone-gallery")
    await page.goto(f"{up.web}/create/imagen4")
    await page.fill("#prompt", "старый маяк на закате")
    await _keep(page, "web-phone-order")
    await page.click("#send")
    await page.wait_for_selector(".results img")
    await page.wait_for_load_state("load")
    await _keep(page, "web-phone-made")
    await page.set_viewport_size({"width": 1280, "height": 850})
    await page.goto(f"{up.web}/")
    await page.wait_for_load_state("load")
    await _keep(page, "web-desktop-gallery")
    await page.emulate_media(color_scheme="dark")
    await page.click(".card a")
    await page.wait_for_selector("#favorite")
    await page.wait_for_load_state("load")
    await _keep(page, "web-desktop-item-dark")


async def _run(up: Up, chromium: str) -> None:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"],
        )
        await _take(up, browser)
        await browser.close()


def main() -> int:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        sys.stderr.write("There is no Chromium here: apt-get install chromium\n")
        return 1
    IMAGES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        up = bring_up(stack, Path(folder), USER, port=0, speed="10")
        asyncio.run(_run(up, chromium))
    for path in sorted(IMAGES.glob("web-*.png")):
        sys.stdout.write(f"{path.name}  {path.stat().st_size // 1024} KiB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
