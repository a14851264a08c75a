"""What the tests of the web gallery share: the site, a signed-in page, axe, screenshots."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page

from clients.sdk import AsyncTriptych
from clients.web.links import SignInLinks
from clients.web.settings import WebSettings, secret_of
from clients.web.words import WORDS
from clients.words import Language, Words
from demo.processes import running
from tests.support.system import new_user

BOUND_SECONDS = 60
ARTIFACTS = Path(__file__).parents[3] / "artifacts" / "web"
PHONE, DESKTOP = (390, 844), (1280, 850)
# Chromium's own calls to the outside are switched off; --no-sandbox because CI is root in a container.
CHROMIUM_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True)
class Site:
    """Where the gallery and the service are."""

    url: str
    api: str
    links: SignInLinks
    secret: str


@contextmanager
def running_site(api: str, folder: Path) -> Iterator[Site]:
    """The gallery as a process before the service at ``api``, on a free port."""
    settings = WebSettings(data_dir=folder / "data")
    environment = {
        "TRIPTYCH_SERVER": api,
        "TRIPTYCH_WEB_DATA_DIR": str(settings.data_dir),
        "TRIPTYCH_WEB_PORT": "0",
    }
    with running("clients.web", ["--json"], environment=environment, log_file=folder / "web.log") as web:
        secret = secret_of(settings)
        links = SignInLinks(secret, settings.data_dir, settings.sign_in_seconds)
        yield Site(url=web.ready["url"], api=api, links=links, secret=secret)


@dataclass
class Visitor:
    """Somebody with credits in a browser of some size and language. ``troubles`` is what the console said."""

    page: Page
    site: Site
    user_id: str
    words: Words
    name: str
    troubles: list[str] = field(default_factory=list)

    async def open(self, path: str) -> None:
        await self.page.goto(self.site.url + path)

    async def look(self, what: str) -> None:
        """Keeps a screenshot; axe must find nothing, and nothing may stick out at the side."""
        ARTIFACTS.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=ARTIFACTS / f"{self.name}-{what}.png", full_page=True)
        found = await Axe().run(self.page)
        assert found.violations_count == 0, f"{what}: {found.generate_report()}"
        wide = await self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide <= 0, f"{what}: {wide} px stick out"

    async def shown(self, text: str) -> None:
        await self.page.get_by_text(text).first.wait_for()

    async def balance(self, credits: int) -> None:
        """Waits until the balance in view is so many credits."""
        await self.page.locator("#balance strong", has_text=self.words.count("credits", credits)).wait_for()

    async def order(self, prompt: str, count: int = 1, type_name: str = "imagen4") -> None:
        """Asks for something, as far as the page on which it is being made."""
        await self.open(f"/create/{type_name}")
        await self.page.fill("#prompt", prompt)
        if count > 1:
            await self.page.check(f"input[name=output_count][value='{count}']")
        await self.page.click("#send")
        await self.page.wait_for_selector(".generation")

    async def result(self) -> None:
        """Waits until it came, or did not."""
        await self.page.wait_for_selector(".results, .generation .sentence")


@asynccontextmanager
async def visiting(
    browser: Browser,
    site: Site,
    language: Language = "ru",
    size: tuple[int, int] = PHONE,
    *,
    scheme: str = "light",
    credits: int = 200,
) -> AsyncIterator[Visitor]:
    """A new user with credits who has used the link."""
    user_id = new_user()
    async with AsyncTriptych(site.api) as client:
        await client.grant_credits(user_id, credits)
    context = await browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        locale="ru-RU" if language == "ru" else "en-GB",
        color_scheme="dark" if scheme == "dark" else "light",
    )
    context.set_default_timeout(BOUND_SECONDS * 1000)
    try:
        page = await context.new_page()
        name = f"{'phone' if size == PHONE else 'desktop'}-{language}-{scheme}"
        visitor = Visitor(page, site, user_id, WORDS[language], name)
        page.on("pageerror", lambda error: visitor.troubles.append(str(error)))
        page.on(
            "console", lambda said: visitor.troubles.append(said.text) if "Content Security" in said.text else None
        )
        await visitor.open(f"/sign-in/{site.links.issue(user_id)}")
        await page.click("#sign-in")
        await page.wait_for_selector("#gallery")
        yield visitor
        assert visitor.troubles == []
    finally:
        await context.close()
