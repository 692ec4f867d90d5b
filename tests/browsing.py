"""A browser for the tests of pages, which are used as someone would use them."""

import json
import shutil
import urllib.request
from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium")
REVIEW = "房间很干净，前台也热情，就是隔音太差"
PATIENCE = 30_000  # ms; an answer takes tenths of a second on a machine that is idle
# The corners of a 7 in fractions of the drawing area.
SEVEN = ((0.28, 0.24), (0.72, 0.22), (0.48, 0.8))
WIDTHS = (1600, 768, 360)  # a large screen, a tablet, a phone

# Runs before the scripts of the page.
REMEMBER_VIOLATIONS = """
    window.violations = [];
    addEventListener("securitypolicyviolation", (event) =>
      window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""

Opens = Callable[..., "Visit"]


class Visit:
    """A page in a browser of its own, and what went wrong in it."""

    def __init__(self, browser: Browser, url: str, **settings: Any) -> None:
        self.url = url
        self.context = browser.new_context(**{"locale": "en-GB"} | settings)
        self.context.set_default_timeout(PATIENCE)
        self.context.add_init_script(REMEMBER_VIOLATIONS)
        self.page: Page = self.context.new_page()
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on(
            "console",
            lambda message: (
                self.complaints.append(message.text) if message.type == "error" else None
            ),
        )

    def text(self, selector: str) -> str:
        return self.page.locator(selector).inner_text()

    def wait(self, selector: str) -> None:
        self.page.wait_for_selector(selector)

    def judge(self, review: str = REVIEW) -> None:
        """Ask about a review and wait for the answer."""
        self.page.fill("#review-text", review)
        self.page.click("#review [type=submit]")
        self.judged()

    def judged(self) -> None:
        """Wait for the answer to what stands in the field."""
        self.page.wait_for_selector("#review-verdict .changed:empty", state="attached")
        self.idle("review")
        self.wait("#review-models tbody")

    def idle(self, form: str) -> None:
        self.wait(f"#{form}[aria-busy=false]")

    def corners(self) -> list[tuple[float, float]]:
        """The corners of the 7 in the window."""
        pad = self.page.locator("#digit-pad")
        pad.scroll_into_view_if_needed()
        box = pad.bounding_box()
        return [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in SEVEN]

    def draw(self) -> None:
        """Draw the 7 with the mouse."""
        first, *rest = self.corners()
        self.page.mouse.move(*first)
        self.page.mouse.down()
        for corner in rest:
            self.page.mouse.move(*corner, steps=8)
        self.page.mouse.up()

    def read_digit(self) -> None:
        """Ask about the drawing and wait for the answer."""
        self.page.click("#digit [type=submit]")
        self.wait("#digit-bars li")
        self.idle("digit")

    def canvas(self) -> str:
        """The drawing as the page sends it."""
        url: str = self.page.evaluate("document.querySelector('#digit-pad').toDataURL()")
        return url

    def ink(self) -> list[tuple[int, int]]:
        """The cells of the drawing whose middle is black, as (column, row) from 1 on."""
        cells = self.page.evaluate(
            """() => {
              const context = document.querySelector("#digit-pad").getContext("2d");
              const black = [];
              for (let row = 1; row <= 28; row++)
                for (let column = 1; column <= 28; column++)
                  if (context.getImageData(column * 10 - 5, row * 10 - 5, 1, 1).data[0] < 128)
                    black.push([column, row]);
              return black;
            }"""
        )
        return [tuple(cell) for cell in cells]

    def choose(self, language: str) -> None:
        self.page.click(f"[data-language={language}]")

    def language(self) -> str:
        tag: str = self.page.evaluate("document.documentElement.lang")
        return tag

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def tab_to(self, selector: str) -> None:
        """Press Tab until an element has the focus, as who has no mouse does."""
        for _ in range(30):
            self.press("Tab")
            if self.page.evaluate("(one) => document.activeElement.matches(one)", selector):
                return
        pytest.fail(f"Tab does not reach {selector}")


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A browser for a module: while it is open, no other loop of asyncio can run."""
    if CHROMIUM is None:
        pytest.skip("chromium is not installed (Debian: apt install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def visit(browser: Browser, service: str) -> Iterator[Opens]:
    """Open the page; no visit may leave the origin, break the policy or complain."""
    visits: list[tuple[Visit, tuple[str, ...]]] = []

    def start(expected: tuple[str, ...] = (), **settings: Any) -> Visit:
        visits.append((Visit(browser, service, **settings), expected))
        return visits[-1][0]

    yield start
    for visit, expected in visits:
        assert visit.page.evaluate("window.violations ?? []") == []
        visit.context.close()
        away = [url for url in visit.requests if not url.startswith((f"{service}/", "data:"))]
        assert away == []
        assert [
            complaint
            for complaint in visit.complaints
            if not any(part in complaint for part in expected)
        ] == []


@pytest.fixture
def opened(visit: Opens) -> Opens:
    """Open the page and wait until its tables and the judged example are there."""

    def start(expected: tuple[str, ...] = (), **settings: Any) -> Visit:
        started = visit(expected, **settings)
        started.page.goto(started.url)
        started.wait("#models-tables tbody")
        started.judged()
        return started

    return start


def asked(url: str, path: str, body: dict[str, Any] | None = None) -> Any:
    """What the service answers to a program."""
    request = urllib.request.Request(  # noqa: S310 - the service on loopback
        f"{url}/{path}",
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as response:  # noqa: S310
        return json.load(response)


def rounded(value: float, digits: int) -> Decimal:
    """Round as browsers do: halves away from zero."""
    return Decimal(value).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def percent(probability: float) -> str:
    """A probability as the page shows it."""
    if probability > 0.99:
        return ">99%"
    return "<1%" if probability < 0.01 else f"{rounded(probability * 100, 0)}%"


def serious(page: Page) -> list[str]:
    """What axe finds that keeps people out."""
    found = Axe().run(page, options={"resultTypes": ["violations"]})  # not each that passes
    violations = found.response["violations"]
    return [
        f"{violation['id']}: {node['html']}: {node['failureSummary']}"
        for violation in violations
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]
