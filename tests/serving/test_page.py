"""The page of the service, used in a browser as someone would use it.

tests/screenshots.py takes the pictures of docs/screenshots/.
"""

import contextlib
import functools
import json
import shutil
import urllib.request
from collections.abc import Callable, Iterator
from decimal import ROUND_HALF_UP, Decimal
from itertools import pairwise
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, CDPSession, Error, Page, Route, expect, sync_playwright

CHROMIUM = shutil.which("chromium")
pytestmark = pytest.mark.skipif(
    CHROMIUM is None, reason="chromium is not installed (Debian: apt install chromium)"
)

REVIEW = "房间很干净，前台也热情，就是隔音太差"
PATIENCE = 10_000  # ms; an answer takes tenths of a second
EMPTY = {"en": "Write a review first.", "zh-CN": "请先写一条评论。"}
# The corners of a 7 in fractions of the drawing area.
SEVEN = ((0.28, 0.24), (0.72, 0.22), (0.48, 0.8))

# What the service may answer, None for nothing, and what the page says then.
FAULTS: list[tuple[dict[str, Any] | None, str, str]] = [
    (
        None,
        "The service does not answer; see whether it still runs, then try again.",
        "服务没有响应，请确认它仍在运行，然后重试。",
    ),
    (
        {"status": 500, "body": "Internal Server Error"},
        "The service has failed (status 500); try again.",
        "服务出错（状态码 500），请重试。",
    ),
    (
        {"status": 503, "json": {"detail": "models/…: found nothing"}},
        "This service was started without a model for this.",
        "本服务启动时没有加载所需的模型。",
    ),
    (
        {"status": 422, "json": {"detail": [{"loc": ["body"], "msg": "too odd"}]}},
        "The service does not accept this: too odd",
        "服务不接受这项内容： too odd",
    ),
    (
        {"status": 400, "json": {"detail": "too odd"}},
        "The service does not accept this: too odd",
        "服务不接受这项内容： too odd",
    ),
    (
        {"status": 404, "body": "<h1>?</h1>"},
        "The service does not accept this (status 404).",
        "服务不接受这项内容（状态码 404）。",
    ),
    (
        {"status": 413, "body": ""},
        "This is more than the service reads at once.",
        "内容超出了服务一次能读取的大小。",
    ),
    (
        {"status": 200, "body": "no JSON"},
        "The answer of the service cannot be read; try again.",
        "无法读取服务的回答，请重试。",
    ),
    (
        {"status": 200, "json": {}},
        "The answer of the service cannot be read; try again.",
        "无法读取服务的回答，请重试。",
    ),
]

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
        self.wait("#review-words li")
        self.idle("review")

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
    """Open the page and wait until its table is there."""

    def start(expected: tuple[str, ...] = (), **settings: Any) -> Visit:
        started = visit(expected, **settings)
        started.page.goto(started.url)
        started.wait("#models-table tbody")
        return started

    return start


def fail(answer: dict[str, Any] | None, route: Route) -> None:
    """Answer a request of the page in the place of the service, or break it off."""
    if answer is None:
        route.abort()
    else:
        route.fulfill(**answer)


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
    return f"{rounded(probability * 100, 1)}%"


def signed(effect: float) -> str:
    value = rounded(effect, 2)
    return f"{value:+}".replace("-", "−") if value else "0.00"


def assert_shows_digit(visit: Visit) -> None:
    """The page shows what the service says of the drawing that is in the page."""
    answer = asked(visit.url, "digit", {"image": visit.canvas()})
    shown = visit.text("#digit-verdict")
    assert shown.split("\n")[0] == answer["label"]
    assert percent(answer["probability"]) in shown
    rows = visit.page.locator("#digit-bars li").all_inner_texts()
    assert [row.split() for row in rows] == [
        [str(digit), percent(answer["probabilities"][str(digit)])] for digit in range(10)
    ]
    assert visit.text("#digit-bars .best .digit") == answer["label"]


class TestReview:
    def test_by_keyboard_alone(self, opened: Opens) -> None:
        visit = opened()
        visit.press("Tab")
        assert visit.page.evaluate("document.activeElement.className") == "skip"
        visit.press("Enter")
        visit.tab_to("#review-text")
        visit.page.keyboard.insert_text(REVIEW)
        visit.tab_to("#review [type=submit]")
        visit.press("Enter")
        visit.wait("#review-words li")

        answer = asked(visit.url, "explain", {"text": REVIEW})
        verdict = visit.text("#review-verdict")
        # A network of four units is often unsure.
        if answer["reason"] == "balanced":
            assert verdict.split("\n")[0] == "No verdict"
            assert verdict.endswith("It says as much for as against.")
        else:
            assert verdict.split()[0] == answer["label"].capitalize()
            assert verdict.endswith(
                f"Probability that it is positive: {percent(answer['probability'])}"
            )
        assert visit.page.get_attribute("#review-meter", "aria-valuetext") == percent(
            answer["probability"]
        )
        assert visit.text("#review-threshold") == (
            f"{answer['model']} calls a review positive from {percent(answer['threshold'])} on."
        )
        shown = visit.page.locator("#review-words li").all_inner_texts()
        assert [tuple(word.split("\n")) for word in shown] == [
            (word["word"], signed(word["effect"]))
            for word in answer["words"]
            if word["word"].strip()
        ]
        # Whoever pressed the button still has it.
        assert visit.page.evaluate("document.activeElement.matches('#review [type=submit]')")

    def test_whole_review_is_weighed_whatever_its_spelling(self, opened: Opens) -> None:
        visit = opened()
        visit.judge("  ＡＢＣ　不错\u200b！\n\n很 好 ")
        assert visit.text("#review-beginning") == ""

    def test_control_and_enter_ask_as_well(self, opened: Opens) -> None:
        visit = opened()
        visit.page.fill("#review-text", REVIEW)
        visit.page.focus("#review-text")
        visit.press("Control+Enter")
        visit.wait("#review-words li")
        assert visit.page.input_value("#review-text") == REVIEW

    @pytest.mark.parametrize(
        ("content", "why"),
        [("great service", "There is no Chinese in it."), ("?!", "nothing but punctuation")],
    )
    def test_no_ground_for_a_verdict(self, opened: Opens, content: str, why: str) -> None:
        visit = opened()
        visit.page.fill("#review-text", content)
        visit.page.press("#review-text", "Control+Enter")
        visit.wait("#review-verdict .decision.none")
        assert "No verdict" in visit.text("#review-verdict")
        assert why in visit.text("#review-verdict")

    def test_direction_and_strength_are_not_told_by_colour_alone(self, opened: Opens) -> None:
        visit = opened()
        words = [("好", 2.0), ("，", 0.02), ("有点", -0.6), ("坏", -1.5), ("！", 0.4), ("书", 0.4)]
        answer = {
            "model": "sentiment_hybrid",
            "threshold": 0.5,
            "label": "positive",
            "probability": 0.6,
            "reason": None,
            "words": [{"word": word, "effect": effect} for word, effect in words],
        }
        visit.page.route("**/explain", lambda route: route.fulfill(json=answer))
        visit.judge()
        titles = visit.page.eval_on_selector_all(
            "#review-words li", "(items) => items.map((item) => item.title)"
        )
        assert titles == [
            "好: strongly towards positive",
            "，: hardly matters",
            "有点: slightly towards negative",
            "坏: strongly towards negative",
            "！: slightly towards positive",
            "书: slightly towards positive",
        ]
        styles = visit.page.eval_on_selector_all(
            "#review-words li",
            """(items) => items.map((item) => {
              const style = getComputedStyle(item);
              const seen = style.borderBottomColor !== "rgba(0, 0, 0, 0)";
              return [seen && style.borderBottomStyle, parseFloat(style.borderBottomWidth)];
            })""",
        )
        assert [style for style, _ in styles] == [
            "solid",
            False,
            "dashed",
            "dashed",
            "solid",
            "solid",
        ]
        assert styles[0][1] > styles[4][1]
        assert styles[3][1] > styles[2][1]
        assert visit.page.locator("#review-strongest p").all_inner_texts() == [
            "Most towards positive: 好, 书.",
            "Most towards negative: 坏, 有点.",
        ]

    def test_markup_in_a_review_is_text(self, opened: Opens) -> None:
        visit = opened()
        text = "<img src=x onerror=alert(1)>不错&amp;"
        visit.judge(text)
        assert visit.page.locator("#review-answer img").count() == 0

    def test_longest_review(self, opened: Opens) -> None:
        visit = opened()
        visit.context.set_default_timeout(60_000)
        visit.judge("好书。" * 3_333 + "好")
        assert visit.text("#review-count") == "10,000 of 10,000 characters"
        words = visit.page.locator("#review-words .word").all_inner_texts()
        assert visit.text("#review-beginning") == (
            f"Only the first {len(''.join(words))} characters are weighed word by word."
        )

    def test_example_is_taken_and_undone(self, opened: Opens) -> None:
        visit = opened()
        visit.page.focus("#review-text")
        visit.page.keyboard.insert_text("自己的评论")
        visit.page.click("#review-examples li:first-child button")
        assert visit.page.input_value("#review-text") == "这本书太好看了，推荐给大家"
        visit.press("Control+z")
        assert visit.page.input_value("#review-text") == "自己的评论"

    def test_answer_to_an_older_text_is_marked(self, opened: Opens) -> None:
        visit = opened()
        visit.judge()
        assert "changed" not in visit.text("#review-verdict")
        visit.page.fill("#review-text", "另一条")
        assert "The text has changed since this answer." in visit.text("#review-verdict")

    def test_answer_that_is_no_longer_wanted_is_dropped(self, opened: Opens) -> None:
        visit = opened()
        held: list[Any] = []
        visit.page.route("**/explain", lambda route: held.append(route))  # noqa: PLW0108 - Playwright counts the arguments of a function
        visit.page.fill("#review-text", "第一条")
        visit.page.click("#review [type=submit]")
        visit.wait("#review[aria-busy=true]")
        button = visit.page.locator("#review [type=submit]")
        assert button.get_attribute("aria-disabled") == "true"
        button.click(force=True)  # asks nothing while a request is on its way
        visit.page.wait_for_timeout(100)
        assert len(held) == 1

        visit.page.fill("#review-text", "第二条")
        visit.idle("review")
        visit.page.wait_for_timeout(100)
        assert visit.text("#review-error") == ""
        visit.page.click("#review [type=submit]")
        visit.page.wait_for_timeout(100)
        later, earlier = held[1], held[0]
        answer = asked(visit.url, "explain", {"text": "第一条"})
        with contextlib.suppress(Error):  # the page has given it up
            earlier.fulfill(json=answer)
        visit.page.wait_for_timeout(100)
        assert visit.page.locator("#review-words li").count() == 0
        assert visit.page.get_attribute("#review", "aria-busy") == "true"
        later.continue_()
        visit.wait("#review-words li")
        assert "".join(visit.page.locator("#review-words .word").all_inner_texts()) == "第二条"
        assert visit.text("#review-error") == ""


class TestDigit:
    def test_by_mouse(self, opened: Opens) -> None:
        visit = opened()
        visit.draw()
        visit.read_digit()
        assert_shows_digit(visit)

    def test_by_finger(self, opened: Opens) -> None:
        visit = opened(has_touch=True, viewport={"width": 320, "height": 640})
        scrolled = "Math.round(window.scrollY)"
        corners = visit.corners()
        before = visit.page.evaluate(scrolled)
        browser: CDPSession = visit.context.new_cdp_session(visit.page)

        def touch(kind: str, *points: tuple[float, float]) -> None:
            places = [{"x": x, "y": y} for x, y in points]
            browser.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

        touch("touchStart", corners[2])
        for (x, y), (further, below) in pairwise(reversed(corners)):
            for part in range(1, 6):
                touch("touchMove", (x + (further - x) * part / 5, y + (below - y) * part / 5))
        touch("touchEnd")
        assert visit.page.evaluate(scrolled) == before
        assert {(14, 23), (20, 7), (8, 7)} <= set(visit.ink())
        visit.read_digit()
        assert_shows_digit(visit)

    def test_by_pen(self, opened: Opens) -> None:
        visit = opened()
        browser: CDPSession = visit.context.new_cdp_session(visit.page)

        def pen(kind: str, place: tuple[float, float]) -> None:
            event = {"type": kind, "x": place[0], "y": place[1], "pointerType": "pen"}
            browser.send("Input.dispatchMouseEvent", event | {"button": "left", "buttons": 1})

        corners = visit.corners()
        pen("mousePressed", corners[0])
        for corner in corners[1:]:
            pen("mouseMoved", corner)
        pen("mouseReleased", corners[-1])
        assert {(14, 23), (20, 7), (8, 7)} <= set(visit.ink())
        visit.read_digit()
        assert_shows_digit(visit)

    def test_by_keyboard_alone(self, opened: Opens) -> None:
        visit = opened()
        visit.tab_to("#digit-pad")
        assert visit.text("#digit-state") == "Pen up, column 14, row 14"
        visit.press(*["ArrowUp"] * 7, *["ArrowLeft"] * 5)
        assert visit.ink() == []
        visit.press("Space")
        assert visit.text("#digit-state") == "Pen down, column 9, row 7"
        visit.press("Shift+ArrowRight", "Shift+ArrowRight", *["End"] * 4, *["ArrowDown"] * 10)
        visit.press("Space")
        assert visit.text("#digit-state") == "Pen up, column 15, row 21"
        visit.press("ArrowLeft", "ArrowLeft")
        drawn = set(visit.ink())
        assert {(9, 7), (19, 7), (17, 9), (15, 11), (15, 21)} <= drawn
        assert not any(column < 15 and row > 12 for column, row in drawn if column != 14)

        visit.press("Enter")
        visit.wait("#digit-bars li")
        assert_shows_digit(visit)
        visit.press("Delete")
        assert visit.ink() == []
        assert visit.text("#digit-state") == "The drawing area is empty"
        assert visit.page.locator("#digit-bars").is_hidden()
        visit.press("Tab")
        assert visit.page.evaluate("document.activeElement.matches('#digit [type=submit]')")

    def test_two_arrows_at_once_move_diagonally(self, opened: Opens) -> None:
        visit = opened()
        visit.page.focus("#digit-pad")
        keyboard = visit.page.keyboard
        keyboard.down("ArrowRight")
        for _ in range(3):  # as a key repeats that is held
            keyboard.down("ArrowDown")
        keyboard.up("ArrowRight")
        keyboard.up("ArrowDown")
        expect(visit.page.locator("#digit-state")).to_have_text("Pen up, column 18, row 17")

    def test_pen_stays_within_the_area_and_tells_where_it_rests(self, opened: Opens) -> None:
        visit = opened()
        visit.page.focus("#digit-pad")
        told = visit.page.evaluate_handle(
            """() => {
              const told = [];
              const place = document.querySelector("#digit-state");
              new MutationObserver(() => told.push(place.textContent))
                .observe(place, { childList: true });
              return told;
            }"""
        )
        visit.press(*["Shift+Home"] * 8)
        visit.page.wait_for_timeout(600)
        # Once, after the last move, and not at each.
        assert told.json_value() == ["Pen up, column 1, row 1"]

    def test_keyboard_goes_on_where_the_mouse_was(self, opened: Opens) -> None:
        visit = opened()
        visit.draw()
        assert visit.page.locator("#digit-pen").is_hidden()
        assert visit.text("#digit-state") == ""
        visit.press("Space")
        assert visit.text("#digit-state") == "Pen down, column 14, row 23"
        assert visit.page.locator("#digit-pen").is_visible()

    def test_leaving_lifts_the_pen(self, opened: Opens) -> None:
        visit = opened()
        visit.page.focus("#digit-pad")
        visit.press("Space", "Tab", "Shift+Tab")
        assert visit.text("#digit-state").startswith("Pen up")

    def test_answer_to_an_older_drawing_is_marked(self, opened: Opens) -> None:
        visit = opened()
        visit.draw()
        visit.read_digit()
        visit.page.focus("#digit-pad")
        visit.press("Space")
        assert "The drawing has changed since this answer." in visit.text("#digit-verdict")
        visit.page.click("#digit-clear")
        assert visit.page.locator("#digit-verdict > *").count() == 0
        assert visit.ink() == []


class TestModels:
    def test_table_is_what_the_service_says(self, opened: Opens) -> None:
        visit = opened()
        metrics = ("accuracy", "precision", "recall", "f1", "cases")

        def shown_as(of: dict, metric: str) -> str:
            return "–" if of.get(metric) is None else str(rounded(of[metric], 4))

        expected = []
        for model in asked(visit.url, "models")["models"]:
            cells = [shown_as(model, metric) for metric in metrics]
            expected.append([model["title"] or model["name"], *cells, f"{model['n_test']:,}"])
            if stated := model["tutorial"]:
                cells = [shown_as(stated, metric) for metric in metrics]
                expected.append(["the tutorial", *cells, "–"])
        rows = visit.page.locator("#models-table tbody tr")
        shown = [row.locator("th, td").all_inner_texts() for row in rows.all()]
        assert [[name.split("\n")[0].strip(), *cells] for name, *cells in shown] == expected
        assert visit.page.locator("#models-table thead").inner_text().split() == [
            "model",
            "accuracy",
            "precision",
            "recall",
            "F1",
            "short",
            "texts",
            "test",
            "items",
        ]

    def test_is_tried_again_when_asked(self, visit: Opens) -> None:
        started = visit(expected=("ERR_FAILED",))
        started.page.route("**/models", lambda route: route.abort())
        started.page.goto(started.url)
        started.page.click("#models-again button")
        started.wait("#models-error:not(:empty)")
        assert "does not answer" in started.text("#models-error")
        started.page.unroute("**/models")
        started.page.click("#models-again button")
        started.wait("#models-table tbody")
        assert started.text("#models-error") == ""
        assert started.page.locator("#models-again").is_hidden()

    def test_none_yet(self, visit: Opens) -> None:
        started = visit()
        started.page.route("**/models", lambda route: route.fulfill(json={"models": []}))
        started.page.goto(started.url)
        started.wait("#models[aria-busy=false]")
        assert started.text("#models-state") == "This service has no test metrics beside it."


class TestLanguage:
    def test_is_switched_and_remembered(self, opened: Opens) -> None:
        visit = opened()
        english = visit.text("h1")
        visit.judge()
        visit.choose("zh")
        assert visit.language() == "zh-CN"
        assert (visit.text("h1"), visit.page.title()) == ("向模型提问", "keras-repro：向模型提问")
        assert "好评的概率" in visit.text("#review-verdict")
        assert visit.page.input_value("#review-text") == REVIEW
        visit.page.reload()
        assert (visit.language(), visit.text("h1")) == ("zh-CN", "向模型提问")
        assert visit.page.get_attribute("[data-language=zh]", "aria-pressed") == "true"
        visit.choose("en")
        visit.page.reload()
        assert (visit.language(), visit.text("h1")) == ("en", english)

    @pytest.mark.parametrize(
        ("locale", "tag"), [("zh-TW", "zh-CN"), ("en-US", "en"), ("fr-FR", "en")]
    )
    def test_begins_with_what_the_reader_prefers(
        self, opened: Opens, locale: str, tag: str
    ) -> None:
        assert opened(locale=locale).language() == tag

    def test_every_string_is_in_both(self, opened: Opens) -> None:
        visit = opened()
        strings, models, titles, keys = visit.page.evaluate(
            """async () => {
              const { STRINGS, MODELS, TITLES, KEYS } = await import("/page/strings.js");
              return [STRINGS, MODELS, TITLES, KEYS];
            }"""
        )
        named = visit.page.eval_on_selector_all(
            "[data-text], [data-label]",
            "(items) => items.flatMap((item) => [item.dataset.text, item.dataset.label])",
        )
        assert strings["en"].keys() == strings["zh"].keys()
        assert models["en"].keys() == models["zh"].keys()
        assert keys["en"].keys() == keys["zh"].keys()
        assert {key for key in named if key} <= strings["en"].keys()
        assert all(text.strip() for texts in strings.values() for text in texts.values())
        shown = asked(visit.url, "models")["models"]
        assert {model["name"] for model in shown if model["title"] is None} <= models["zh"].keys()
        assert {model["title"] for model in shown} - {None} <= titles["zh"].keys()


class TestErrors:
    @pytest.mark.parametrize("text", ["", " \n\u3000\u200b"])
    def test_empty_review(self, opened: Opens, text: str) -> None:
        visit = opened()
        visit.page.fill("#review-text", text)
        visit.page.click("#review [type=submit]")
        assert visit.text("#review-error") == EMPTY["en"]
        assert visit.page.get_attribute("#review-text", "aria-invalid") == "true"
        assert visit.page.evaluate("document.activeElement.id") == "review-text"
        visit.choose("zh")
        assert visit.text("#review-error") == EMPTY["zh-CN"]
        visit.page.fill("#review-text", "好")
        assert visit.text("#review-error") == ""
        assert visit.page.get_attribute("#review-text", "aria-invalid") == "false"
        assert not any(url.endswith("/explain") for url in visit.requests)

    def test_review_that_is_too_long(self, opened: Opens) -> None:
        visit = opened()
        text = "𠮷" + "好" * 10_000  # 10,001 characters of 10,002 UTF-16 units
        visit.page.fill("#review-text", text)
        visit.page.click("#review [type=submit]")
        assert visit.text("#review-error") == (
            "This review has 10,001 characters; at most 10,000 can be read."
        )
        assert visit.page.input_value("#review-text") == text
        visit.choose("zh")
        assert visit.text("#review-error") == "这条评论有 10,001 字，最多只能读取 10,000 字。"

    def test_nothing_drawn(self, opened: Opens) -> None:
        visit = opened()
        visit.page.click("#digit [type=submit]")
        assert visit.text("#digit-error") == "Draw a digit first."
        visit.draw()
        assert visit.text("#digit-error") == ""

    def test_service_that_does_not_answer(self, opened: Opens) -> None:
        visit = opened(expected=("Failed to load resource", "TypeError"))
        paths = ("explain", "digit")
        places = ("review", "digit")
        visit.page.fill("#review-text", REVIEW)
        visit.draw()
        drawn = visit.canvas()

        def ask() -> None:
            for place in places:
                visit.page.click(f"#{place} [type=submit]")

        for answer, english, chinese in FAULTS:
            visit.choose("en")
            for path in paths:
                visit.page.route(f"**/{path}", functools.partial(fail, answer))
            ask()
            for place in places:
                visit.wait(f"#{place}-error:not(:empty)")
                assert visit.text(f"#{place}-error") == english
            visit.choose("zh")
            for place in places:
                assert visit.text(f"#{place}-error") == chinese
                assert visit.page.get_attribute(f"#{place}", "aria-busy") == "false"
            assert visit.page.input_value("#review-text") == REVIEW
            assert visit.canvas() == drawn

            # The next answer takes the error away.
            for path in paths:
                visit.page.unroute(f"**/{path}")
            ask()
            for place in places:
                visit.wait(f"#{place}[aria-busy=false]")
                assert visit.text(f"#{place}-error") == ""


class TestLook:
    @pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
    def test_narrow_windows_do_not_scroll_sideways(self, opened: Opens, locale: str) -> None:
        visit = opened(locale=locale, viewport={"width": 320, "height": 640})
        visit.judge("这本书太好看了，推荐给大家 " + "a" * 60)
        visit.draw()
        visit.read_digit()
        widths = []
        for width in (320, 400, 640, 720, 1280):  # 640 is 1280 at 200 %
            visit.page.set_viewport_size({"width": width, "height": 640})
            widths.append(visit.page.evaluate("document.documentElement.scrollWidth"))
            cut = visit.page.eval_on_selector_all(
                "main *",
                """(items) => items
                  .filter((item) => !item.closest(".skip, thead"))
                  .filter((item) => item.getBoundingClientRect().right > innerWidth + 1)
                  .map((item) => item.outerHTML.slice(0, 80))""",
            )
            assert cut == []
        assert widths == [320, 400, 640, 720, 1280]

    @pytest.mark.parametrize("scheme", ["light", "dark"])
    @pytest.mark.parametrize("locale", ["en-GB", "zh-CN"])
    def test_axe_finds_nothing_serious(self, opened: Opens, locale: str, scheme: str) -> None:
        visit = opened(locale=locale, color_scheme=scheme, reduced_motion="reduce")
        visit.judge("房间又小又吵，但是早餐不错，推荐给大家")
        visit.draw()
        visit.read_digit()
        found = serious(visit.page)
        visit.page.fill("#review-text", "")
        visit.page.click("#review [type=submit]")
        visit.page.focus("#digit-pad")
        visit.press("Space")
        visit.page.set_viewport_size({"width": 320, "height": 640})
        assert found + serious(visit.page) == []

    def test_focus_is_seen_wherever_tab_goes(self, opened: Opens) -> None:
        visit = opened()
        seen = set()
        for _ in range(12):
            visit.press("Tab")
            name, style, width = visit.page.evaluate(
                """() => {
                  const one = document.activeElement;
                  const style = getComputedStyle(one.closest(".pad") ?? one);
                  return [one.outerHTML, style.outlineStyle, parseFloat(style.outlineWidth)];
                }"""
            )
            if name.startswith("<body"):
                break
            seen.add(name)
            assert (style, width >= 2) == ("solid", True), name
        assert len(seen) >= 10

    def test_nothing_turns_where_motion_is_not_wanted(self, opened: Opens) -> None:
        names = []
        for motion in ("no-preference", "reduce"):
            visit = opened(reduced_motion=motion)
            visit.page.route("**/explain", lambda route: None)
            visit.page.fill("#review-text", REVIEW)
            visit.page.click("#review [type=submit]")
            visit.wait("#review[aria-busy=true]")
            names.append(
                visit.page.eval_on_selector(
                    "#review [type=submit]",
                    "(button) => getComputedStyle(button, '::after').animationName",
                )
            )
        assert names == ["turn", "none"]

    def test_headings_are_in_order_and_landmarks_there(self, opened: Opens) -> None:
        visit = opened()
        levels = visit.page.eval_on_selector_all(
            "h1, h2, h3", "(items) => items.map((item) => Number(item.tagName[1]))"
        )
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))
        for role in ("banner", "main", "contentinfo"):
            assert visit.page.get_by_role(role).count() == 1
        assert visit.page.get_by_role("region").count() == 3

    def test_what_it_links_to_is_there(self, opened: Opens) -> None:
        visit = opened()
        links = visit.page.eval_on_selector_all(
            "[src], [href]:not([href^='#'])",
            "(items) => items.map((item) => item.src || item.href)",
        )
        assert f"{visit.url}/page/favicon.svg" in links
        answers = {link: visit.page.request.get(link).status for link in links}
        assert set(answers.values()) == {200}, answers


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
