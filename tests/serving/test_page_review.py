"""The page of the service: what it says of a review, and why."""

import contextlib
import re
from typing import Any

import pytest
from browsing import REVIEW, Opens, asked, percent, rounded
from playwright.sync_api import Error, expect


def sureness(answer: dict[str, Any]) -> str:
    """What stands behind a verdict."""
    probability = answer["probability"]
    value = 1 - probability if answer["label"] == "negative" else probability
    if value < 0.5:
        return "hardly sure"
    words = "very sure" if value >= 0.95 else "fairly sure" if value >= 0.8 else "not very sure"
    return f"{words} ({percent(value)})"


def verdict(answer: dict[str, Any]) -> str:
    return "No verdict" if answer["label"] == "none" else answer["label"].capitalize()


def answering(**of: Any) -> dict[str, Any]:
    """An answer of the service, the given in the place of what it would say."""
    return {
        "model": "sentiment_hybrid",
        "threshold": 0.5,
        "label": "positive",
        "probability": 0.6,
        "reason": None,
        "words": [{"word": "好", "effect": 1.0}],
        "clauses": [],
    } | of


class TestReview:
    def test_by_keyboard_alone(self, opened: Opens) -> None:
        visit = opened()
        visit.press("Tab")
        assert visit.page.evaluate("document.activeElement.className") == "skip"
        visit.press("Enter")
        visit.tab_to("#review-text")
        visit.press("Control+a")
        visit.page.keyboard.insert_text(REVIEW)
        visit.tab_to("#review [type=submit]")
        visit.press("Enter")
        visit.judged()
        answer = asked(visit.url, "explain", {"text": REVIEW})
        decision, *_, why = visit.text("#review-verdict").split("\n")
        assert decision == verdict(answer)
        # A network of four units is often unsure.
        balanced = answer["reason"] == "balanced"
        assert why == ("It says as much for as against." if balanced else sureness(answer))
        meter = "#review-meter"
        assert visit.page.get_attribute(meter, "aria-valuetext") == percent(answer["probability"])
        assert visit.text("#review-threshold").startswith(
            f"{answer['model']} says Positive from {percent(answer['threshold'])} on"
        )
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
        visit.judged()
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

    def test_an_example_is_judged_already(self, opened: Opens) -> None:
        visit = opened()
        example = visit.page.input_value("#review-text")
        answer = asked(visit.url, "explain", {"text": example})
        assert visit.text("#review-verdict").startswith(verdict(answer))
        visit.page.click("#review-clear")
        assert visit.page.input_value("#review-text") == ""
        visit.press("Control+z")
        assert visit.page.input_value("#review-text") == example

    def test_punctuation_is_no_word(self, opened: Opens) -> None:
        visit = opened()
        visit.judge("房间很干净，前台也热情！😡 就是隔音太差……")
        words = visit.page.locator("#review-words .word").all_inner_texts()
        answer = asked(visit.url, "explain", {"text": visit.page.input_value("#review-text")})
        punctuation = {",", "!", "...", "......", "…", " ", ""}
        assert words == [
            word["word"] for word in answer["words"] if word["word"].strip(" .…") not in punctuation
        ]
        assert "😡" in words
        shown = visit.page.eval_on_selector_all(
            "#review-words li",
            """(items) => items.map((item) => {
              const copy = item.cloneNode(true);
              for (const hidden of copy.querySelectorAll(".unseen")) hidden.remove();
              return copy.textContent;
            }).join("")""",
        )
        assert shown.startswith(
            "房间很干净，前台也热情！😡"
        )  # where it stands, as wide as in Chinese

    def test_direction_and_strength_are_not_told_by_colour_alone(self, opened: Opens) -> None:
        visit = opened()
        effects = {"好": 2.0, "，": 5.0, "的": 0.02, "有点": -0.6, "坏": -1.5, "书": 0.4}
        words = [{"word": word, "effect": effect} for word, effect in effects.items()]
        answer = answering(words=words)
        visit.page.route("**/explain", lambda route: route.fulfill(json=answer))
        visit.judge()
        shown = visit.page.eval_on_selector_all(
            "#review-words .word",
            """(items) => items.map((item) => {
              const style = getComputedStyle(item);
              const seen = style.borderBottomColor !== "rgba(0, 0, 0, 0)";
              const line = seen && style.borderBottomStyle;
              return [item.title, line, parseFloat(style.borderBottomWidth)];
            })""",
        )
        assert [(title, line) for title, line, _ in shown] == [
            ("strongly towards Positive", "solid"),
            ("hardly matters", False),
            ("slightly towards Negative", "dashed"),
            ("strongly towards Negative", "dashed"),
            ("slightly towards Positive", "solid"),
        ]
        widths = [width for _, _, width in shown]
        assert widths[0] > widths[4]
        assert widths[3] > widths[2]
        first = visit.page.locator("#review-words li").first.text_content()
        assert first == "好 (strongly towards Positive)，"
        assert visit.page.locator("#review-strongest p").all_inner_texts() == [
            "Because of 好, 书.",
            "Against that: 坏, 有点.",
        ]

    def test_no_logit_is_shown(self, opened: Opens) -> None:
        visit = opened()
        visit.judge()
        numbers = re.findall(r"\d[\d.,]*", visit.text("#review-answer"))
        assert all(len(number) <= len("1,234.") for number in numbers), numbers
        assert "logit" not in visit.text("main")

    def test_clause_by_clause(self, opened: Opens) -> None:
        visit = opened()
        visit.judge()
        clauses = asked(visit.url, "explain", {"text": REVIEW})["clauses"]
        assert len(clauses) == 3
        shown = visit.page.locator("#review-clauses li").all_inner_texts()
        for row, clause in zip(shown, clauses, strict=True):
            assert row.split("\n")[0] == clause["text"]
            assert verdict(clause) in row
        visit.judge("很好")
        assert visit.page.locator("#review-parts").is_hidden()
        visit.judge("好，" * 15)
        assert visit.page.locator("#review-clauses li").count() == 12
        assert visit.text("#review-rest") == "Only the first 12 are shown."

    def test_models_stand_beside_each_other(self, opened: Opens) -> None:
        visit = opened()
        visit.judge()
        models = asked(visit.url, "compare", {"text": REVIEW})["models"]
        assert len(models) == 2
        rows = visit.page.locator("#review-models tbody tr").all_inner_texts()
        for row, model in zip(rows, models, strict=True):
            assert row.startswith(model["model"])
            assert verdict(model) in row
            assert str(rounded(model["f1"], 3)) in row
            assert ("best" in row.split()) is model["best"]
        best = max(models, key=lambda model: model["f1"])
        assert visit.text("#review-models tr.best code") == best["model"]
        assert f"{models[0]['n_test']:,} test reviews" in visit.text("#review-tested")

    def test_a_model_of_other_reviews_is_said_to_be_one(self, opened: Opens) -> None:
        visit = opened()
        said = {"label": "positive", "probability": 0.9, "reason": None, "n_test": None}
        models = [
            said | {"model": "a", "corpora": ["x"], "f1": 0.8, "n_test": 50, "best": False},
            said | {"model": "b", "corpora": ["y", "z"], "f1": None, "best": False},
            said | {"model": "c", "corpora": [], "f1": None, "best": False},
        ]
        visit.page.route("**/compare", lambda route: route.fulfill(json={"models": models}))
        visit.judge()
        expect(visit.page.locator("#review-models tbody tr")).to_have_count(3)
        last = visit.page.locator("#review-models tbody td:last-child").all_inner_texts()
        assert last == ["0.800", "trained on other reviews: y, z", "not known"]
        assert visit.page.locator("#review-models .best").count() == 0

    def test_one_model_is_not_compared(self, opened: Opens) -> None:
        visit = opened(expected=("503",))
        visit.page.route("**/compare", lambda route: route.fulfill(json={"models": [{}]}))
        visit.page.fill("#review-text", "好")
        visit.press("Control+Enter")
        visit.page.wait_for_selector("#review-comparison", state="hidden")
        # Without an answer the rest of the page is as it was.
        visit.page.route("**/compare", lambda route: route.fulfill(status=503, body=""))
        visit.page.fill("#review-text", "坏")
        visit.page.click("#review [type=submit]")
        visit.page.wait_for_selector("#review-verdict .changed:empty", state="attached")
        assert visit.page.locator("#review-comparison").is_hidden()
        assert visit.text("#review-error") == ""

    @pytest.mark.parametrize("probability", [0.0, 0.994, 1.0])
    def test_nothing_is_certain(self, opened: Opens, probability: float) -> None:
        visit = opened()
        label = "positive" if probability else "negative"
        clauses = [
            {"text": text, "label": label, "probability": probability, "reason": None}
            for text in "好坏"
        ]
        answer = answering(label=label, probability=probability, clauses=clauses)
        visit.page.route("**/explain", lambda route: route.fulfill(json=answer))
        visit.judge()
        assert "very sure (>99%)" in visit.text("#review-verdict")
        assert "100" not in visit.text("#review-verdict") + visit.text("#review-clauses")
        assert visit.page.get_attribute("#review-meter", "aria-valuetext") in (">99%", "<1%")

    def test_several_classes_have_a_bar_each(self, opened: Opens) -> None:
        visit = opened()
        shares = {"negative": 0.2, "neutral": 0.7, "很好": 0.1}
        answer = answering(
            label="neutral",
            probability=0.7,
            probabilities=shares,
            threshold=None,
            words=[{"word": "还行", "effect": 1.0}, {"word": "好", "effect": -0.8}],
        )
        visit.page.route("**/explain", lambda route: route.fulfill(json=answer))
        visit.judge()
        shown = visit.text("#review-verdict")
        assert " ".join(shown.split()) == "Neutral not very sure (70%)"
        assert visit.page.locator("#review-scale").is_hidden()
        rows = visit.page.locator("#review-classes li").all_inner_texts()
        assert [row.split() for row in rows] == [
            ["Neutral", "70%"],
            ["Negative", "20%"],
            ["很好", "10%"],
        ]
        assert visit.text("#review-classes .best .class") == "Neutral"
        answer |= {"label": "none", "reason": "balanced", "probability": 0.4}
        answer |= {"probabilities": {"negative": 0.4, "neutral": 0.39, "很好": 0.21}}
        visit.judge("两可")
        shown = visit.text("#review-verdict")
        assert " ".join(shown.split()) == "No verdict Two classes are about as likely."
        answer |= {"label": "negative", "reason": None}
        visit.judge("坏")
        shown = visit.text("#review-verdict")
        assert " ".join(shown.split()) == "Negative not very sure (40%)"
        titles = visit.page.eval_on_selector_all(
            "#review-words .word", "(items) => items.map((item) => item.title)"
        )
        assert titles == ["strongly towards Negative", "strongly away from Negative"]

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
        words = asked(visit.url, "explain", {"text": "好书。" * 3_333 + "好"})["words"]
        length = len("".join(word["word"] for word in words))
        assert visit.text("#review-beginning") == (
            f"Only the first {length} characters are weighed word by word."
        )

    def test_example_is_taken_judged_and_undone(self, opened: Opens) -> None:
        visit = opened()
        visit.page.focus("#review-text")
        visit.press("Control+a")
        visit.page.keyboard.insert_text("自己的评论")
        visit.page.click("#review-examples li:nth-child(2) button")
        assert visit.page.input_value("#review-text") == "这本书太好看了，推荐给大家"
        visit.judged()
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
        example = visit.text("#review-words")
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
        assert visit.text("#review-words") == example
        assert visit.page.get_attribute("#review", "aria-busy") == "true"
        later.continue_()
        visit.judged()
        assert "".join(visit.page.locator("#review-words .word").all_inner_texts()) == "第二条"
        assert visit.text("#review-error") == ""
