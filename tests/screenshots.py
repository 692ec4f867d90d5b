"""Take the pictures of the page and of the report in docs/screenshots/ anew.

Start the service with the real models, run `make report`, then

    python tests/screenshots.py http://127.0.0.1:8000 build/report.html docs/screenshots

It needs Chromium and, for Chinese letters, a font that has them (Debian: chromium, fonts-noto-cjk).
"""

import argparse
import io
import shutil
from pathlib import Path

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

REVIEW = "早餐不错，但是房间太小，隔音很差，晚上睡不好"
# The strokes of a 7, in fractions of the drawing area.
SEVEN = (((0.28, 0.24), (0.72, 0.22), (0.6, 0.45), (0.48, 0.8)),)
MARGIN = 16  # pixels below a card
REPORT = {"width": 1280, "height": 1600}
PICTURES: dict[str, dict] = {
    "page-en": {"locale": "en-GB", "viewport": {"width": 1000, "height": 800}},
    "page-zh": {
        "locale": "zh-CN",
        "viewport": {"width": 1000, "height": 800},
        "color_scheme": "dark",
    },
    "page-narrow": {"locale": "zh-CN", "viewport": {"width": 320, "height": 640}},
}


def main() -> None:
    """Ask for each picture what someone would ask, and save it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url", help="of the service")
    parser.add_argument("report", type=Path, help="the HTML file")
    parser.add_argument("directory", type=Path, help="where the pictures go")
    arguments = parser.parse_args()
    arguments.directory.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"]
        )
        for name, settings in PICTURES.items():
            picture(browser, arguments.url, settings, arguments.directory / f"{name}.png")
        page = browser.new_page(viewport=REPORT)
        page.goto(arguments.report.resolve().as_uri())
        save(page.screenshot(), arguments.directory / "report.png")
        browser.close()


def picture(browser: Browser, url: str, settings: dict, path: Path) -> None:
    """Save the page with answers in it: where it is wide, down to the first card's end."""
    page = browser.new_page(**settings)
    page.goto(url)
    page.fill("#review-text", REVIEW)
    page.click("#review [type=submit]")
    page.wait_for_selector("#review-verdict .changed:empty", state="attached")
    page.wait_for_selector("#review-models tbody")
    draw(page, SEVEN)
    page.click("#digit [type=submit]")
    page.wait_for_selector("#digit-bars li")
    page.wait_for_selector("#models-tables tbody")
    page.mouse.move(0, 0)
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")
    width, height = settings["viewport"].values()
    card = page.locator("section", has=page.locator("#review")).bounding_box()
    assert card is not None
    clip = {"x": 0, "y": 0, "width": width, "height": card["y"] + card["height"] + MARGIN}
    save(page.screenshot(full_page=True, clip=clip if width > height else None), path)
    page.close()


def save(taken: bytes, path: Path) -> None:
    """Save a picture in few colours: without the others it takes a third of the room."""
    with Image.open(io.BytesIO(taken)) as image:
        few = image.convert("RGB").quantize(256, kmeans=1, dither=Image.Dither.NONE)
        few.save(path, optimize=True)


def draw(page: Page, strokes: tuple[tuple[tuple[float, float], ...], ...]) -> None:
    """Draw strokes with the mouse."""
    pad = page.locator("#digit-pad")
    pad.scroll_into_view_if_needed()
    box = pad.bounding_box()
    assert box is not None
    for stroke in strokes:
        places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
        page.mouse.move(*places[0])
        page.mouse.down()
        for place in places[1:]:
            page.mouse.move(*place, steps=5)
        page.mouse.up()


if __name__ == "__main__":
    main()
