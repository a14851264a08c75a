"""What weak eyes and unsteady hands need: type and targets that are large, words in one piece, nothing lost."""

from __future__ import annotations

from playwright.async_api import Browser

from clients.sdk import AsyncTriptych
from tests.e2e.web.story import Site, visiting

BROKEN_WORDS = """() => [...document.querySelectorAll('h1, h2, a, button, label, dt')].filter(
  (each) => each.checkVisibility() && !each.closest('.card') && each.getBoundingClientRect().width > 1
).flatMap((each) => {
  const found = [];
  const texts = document.createTreeWalker(each, NodeFilter.SHOW_TEXT);
  for (let text = texts.nextNode(); text; text = texts.nextNode()) {
    for (const word of text.data.matchAll(/[\\p{L}\\p{N}]{2,}/gu)) {
      const range = document.createRange();
      range.setStart(text, word.index);
      range.setEnd(text, word.index + word[0].length);
      const lines = new Set([...range.getClientRects()].map((box) => Math.round(box.top)));
      if (lines.size > 1) found.push(word[0]);
    }
  }
  return found;
})"""
SMALL_TARGETS = """() => [...document.querySelectorAll('a, button, textarea, label:has(input)')].filter((each) => {
  const box = each.getBoundingClientRect();
  return each.checkVisibility() && !each.matches('.skip') && (box.height < 44 || box.width < 44);
}).map((each) => each.outerHTML.slice(0, 120))"""
SMALLEST_TYPE = """() => Math.min(...[...document.querySelectorAll('main *, header *, footer *')]
  .filter((each) => each.checkVisibility() && each.innerText)
  .map((each) => parseFloat(getComputedStyle(each).fontSize)))"""
STICKS_OUT = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
TWICE = 195
"""A phone's width, in pixels, where type has twice the size: all is in rem, media queries too, so half the width."""


async def test_small_screens_and_large_type_lose_nothing(browser: Browser, site: Site) -> None:
    async with visiting(browser, site) as visitor, AsyncTriptych(site.api) as client:
        page = visitor.page
        made = await client.generate(visitor.user_id, "imagen4", "рыжий кот спит на окне", output_count=3)
        item_id = made.require_success().items[1].item_id
        await client.generate(visitor.user_id, "imagen4", "море [sandbox:content-policy-violation]")
        paths = ("/", "/create/avatar", f"/items/{item_id}", "/statement", "/trash")
        for language in ("ru", "en"):
            await page.click(f"button[value={language}]")
            await page.wait_for_selector(f"html[lang={language}]")
            for path in paths:
                await visitor.open(path)
                for width in (TWICE, 320, 390):
                    await page.set_viewport_size({"width": width, "height": 844})
                    assert await page.evaluate(STICKS_OUT) <= 0, (language, path, width)
                    if width != TWICE:
                        assert await page.evaluate(BROKEN_WORDS) == [], (language, path, width)
                assert await page.evaluate(SMALL_TARGETS) == [], (language, path)
                assert await page.evaluate(SMALLEST_TYPE) >= 18, (language, path)
