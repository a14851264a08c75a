"""What an older gallery had stands in this one by its date, says where it is from, and is kept like anything else."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

from playwright.async_api import Browser, expect

from clients.sdk import AsyncTriptych
from tests.e2e.web.story import BOUND_SECONDS, DESKTOP, PHONE, Site, visiting
from tests.support.api import picture
from tests.support.system import RunningSystem

PATIENT = BOUND_SECONDS * 1000


async def bring_in(system: RunningSystem, folder: Path, user_id: str) -> None:
    """Three rows: of last year with words, older without, and one of a type that needs no photo."""
    for colour in ("teal", "orange", "purple"):
        (folder / f"{colour}.png").write_bytes(picture(colour, size=(640, 480)))
    rows = [
        "id,user_id,created_at,path,prompt,type",
        f"1,{user_id},2022-02-02,teal.png,,avatar",
        f"2,{user_id},2023-03-03,orange.png,я в горах,avatar",
        f"3,{user_id},2021-01-01,purple.png,кот на крыше,imagen4",
    ]
    (folder / "old.csv").write_text("\n".join(rows) + "\n")
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "service", "import", "--from", str(folder / "old.csv"), "--media-root", str(folder)),
        env={**os.environ, **system.environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(BOUND_SECONDS):
        output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()


async def test_an_older_gallery_stands_below_what_is_new(
    browser: Browser, site: Site, system: RunningSystem, tmp_path: Path
) -> None:
    async with visiting(browser, site, "ru", PHONE) as visitor, AsyncTriptych(site.api) as client:
        page, w = visitor.page, visitor.words
        new = (await client.generate(visitor.user_id, "imagen4", "новое дерево")).require_success()
        await bring_in(system, tmp_path, visitor.user_id)
        await page.locator("#filter-all .count", has_text="4").wait_for()  # Nothing was reloaded.
        await visitor.open("/")
        await expect(page.locator(".card .words")).to_have_text(
            ["новое дерево", "я в горах", w("one_avatar"), "кот на крыше"], timeout=PATIENT
        )
        await visitor.look("imported-gallery")

        await page.locator(".card a").nth(1).click()
        await page.locator("#origin", has_text=w("imported")).wait_for()
        assert await page.get_by_text(w("price_label"), exact=True).count() == 0
        assert await page.locator("#another").count() == 0, "there is no photo to make another from"
        assert await page.locator("#change-words").count() == 1
        await visitor.look("imported-item")
        await page.click("#newer")
        await page.get_by_text(w("price_label"), exact=True).first.wait_for()
        assert new.items[0].item_id in page.url
        await visitor.balance(195)


async def test_what_is_not_known_of_an_item_is_left_out_and_it_is_deleted_and_restored(
    browser: Browser, site: Site, system: RunningSystem, tmp_path: Path
) -> None:
    async with visiting(browser, site, "en", DESKTOP) as visitor:
        page, w = visitor.page, visitor.words
        await bring_in(system, tmp_path, visitor.user_id)
        await page.locator("#filter-all .count", has_text="3").wait_for()
        await visitor.open("/")
        await page.locator(".card a").nth(1).click()
        await page.locator("#origin", has_text=w("imported")).wait_for()
        assert await page.locator("#own-prompt, #another, #change-words").count() == 0
        assert await page.get_by_text(w("model_label"), exact=True).count() == 0
        await visitor.look("imported-without-words")
        await page.click("#delete")
        await expect(page.locator(".card")).to_have_count(2, timeout=PATIENT)
        await page.get_by_role("button", name=w("undo")).click()
        await expect(page.locator(".card .words")).to_have_text(
            ["я в горах", w("one_avatar"), "кот на крыше"], timeout=PATIENT
        )
        await page.locator(".card a").nth(2).click()
        await page.wait_for_selector("#another")
