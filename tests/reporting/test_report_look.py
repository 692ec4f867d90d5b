"""The report needs nothing from outside, and can be read and printed by everyone."""

import functools
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from browsing import WIDTHS, serious
from playwright.sync_api import Browser
from reported import Parsed, all_sections, beside_committed_metrics

from keras_repro.reporting import (
    charts,
    drawings,
    language,
    page,
)


@pytest.mark.parametrize("which", ["whole", "chinese", "bare"])
def test_nothing_is_fetched_from_outside(which: str, request: pytest.FixtureRequest) -> None:
    html = request.getfixturevalue(which)
    parsed = Parsed(html)
    names = ("src", "href", "xlink:href", "srcset", "poster", "data", "action", "background")
    # The page in the other language lies beside it, and is followed on a click alone.
    beside = {"report.html", "report.zh.html", "page.zh.html"}
    for name in names:
        found = set(parsed.attributes(name)) - beside
        assert all(value.startswith(("#", "data:image/png;")) for value in found)
    assert not {tag for tag, _ in parsed.tags} & {"script", "link", "iframe", "object", "embed"}
    (style,) = parsed.texts["style"]
    assert "@import" not in style
    assert all(inner.startswith("#") for inner in re.findall(r"url\(([^)]*)\)", html))
    # What is left of addresses are the names of XML's vocabularies.
    addresses = re.findall(r'([\w:]+)="https?://[^"]*"', html)
    assert {name.partition(":")[0] for name in addresses} <= {"xmlns"}
    assert len(re.findall("https?://", html)) == len(addresses)


@pytest.mark.parametrize("which", ["whole", "chinese", "bare"])
def test_names_within_pictures_do_not_collide(which: str, request: pytest.FixtureRequest) -> None:
    html = request.getfixturevalue(which)
    parsed = Parsed(html)
    assert len(parsed.ids) == len(set(parsed.ids))
    assert set(re.findall(r"url\(#([^)]*)\)", html)) <= set(parsed.ids)
    assert {value[1:] for value in parsed.attributes("href")} & set(parsed.ids)
    assert "{{" not in html


def contrast(first: str, second: str) -> float:
    """Return the ratio of WCAG 2 between two colours in hexadecimal."""

    def luminance(colour: str) -> float:
        channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))

    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_of_charts_have_contrast(scheme: str) -> None:
    """What axe does not look at: it measures no text and no lines within pictures."""
    style = (page.TEMPLATES / "page.css").read_text("utf-8")
    _, light, dark = style.split(":root {")
    block = {"light": light, "dark": dark}[scheme]
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6});", block))
    paper = colours["paper"]
    assert contrast(colours["ink"], paper) >= 7
    for ground in (paper, colours["raised"]):
        assert contrast(colours["muted"], ground) >= 4.5
    for number in range(1, len(drawings.SERIES) + 1):
        assert contrast(colours[f"series-{number}"], paper) >= 3
    for share in np.linspace(0.0001, 1, 200):
        opacity = np.sqrt(share)
        mixed = [
            round(opacity * int(colours["heat"][at : at + 2], 16))
            + round((1 - opacity) * int(paper[at : at + 2], 16))
            for at in (1, 3, 5)
        ]
        name = "on-heat" if share > charts.DARK_SHARE else "in-cell"
        cell = "#" + "".join(f"{min(value, 255):02x}" for value in mixed)
        assert contrast(colours[name], cell) >= 4.5, share


@pytest.fixture(scope="module")
def written(
    whole: str, chinese: str, head: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, str], Path]:
    """Write the report of the run or that of the committed metrics in a language, once."""

    @functools.cache
    def write(which: str, tag: str) -> Path:
        root = tmp_path_factory.mktemp(which)
        target = root / "page.html"
        if which == "run":
            target.write_text(whole if tag == "en" else chinese, encoding="utf-8")
            return target
        with pytest.MonkeyPatch.context() as patch, language.speaking(tag):
            settings = beside_committed_metrics(head, root / "committed", patch)
            target.write_text(page.render(all_sections(settings), tag), encoding="utf-8")
        return target

    return write


@pytest.mark.parametrize(
    ("which", "tag", "scheme"),
    [
        ("run", "en", "dark"),
        ("run", "zh-CN", "light"),
        ("committed", "en", "light"),
        ("committed", "zh-CN", "dark"),
    ],
)
def test_everyone_can_read_it(
    which: str, tag: str, scheme: str, browser: Browser, written: Callable[[str, str], Path]
) -> None:
    """No serious fault by axe, no request, no scrolling sideways on any screen."""
    target = written(which, tag)
    context = browser.new_context(color_scheme=scheme, offline=True)
    opened = context.new_page()
    requests: list[str] = []
    opened.on("request", lambda request: requests.append(request.url))
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text))
    opened.goto(target.as_uri())
    for width in WIDTHS:
        opened.set_viewport_size({"width": width, "height": 900})
        assert serious(opened) == []
        assert opened.evaluate("document.documentElement.scrollWidth") <= width
    assert [url for url in requests if not url.startswith("data:")] == [target.as_uri()]
    assert complaints == []
    context.close()


def test_it_can_be_printed(browser: Browser, written: Callable[[str, str], Path]) -> None:
    """On white paper whatever the screen, without what only a screen is for, and nothing cut."""
    context = browser.new_context(color_scheme="dark", viewport={"width": 700, "height": 900})
    opened = context.new_page()
    opened.goto(written("committed", "en").as_uri())
    opened.emulate_media(media="print")
    for hidden in ("nav", ".skip"):
        assert opened.locator(hidden).first.is_hidden()
    assert opened.evaluate("getComputedStyle(document.body).backgroundColor") == (
        "rgb(255, 255, 255)"
    )
    beyond = opened.eval_on_selector_all(
        "main table, main .card, main img, main blockquote",
        """(items) => items
          .filter((item) => item.getBoundingClientRect().right > innerWidth)
          .map((item) => item.outerHTML.slice(0, 80))""",
    )
    assert beyond == []
    pdf = opened.pdf(format="A4")
    assert pdf.startswith(b"%PDF")
    context.close()
