"""The report: one HTML page that holds all that it shows."""

from collections.abc import Callable
from pathlib import Path

import jinja2
from tqdm import tqdm

from keras_repro.core import files, params
from keras_repro.reporting import changes, curves, galleries, graphs, overview, programs
from keras_repro.reporting.blocks import Section

TEMPLATES = Path(__file__).parent / "templates"


def write(target: Path, revision: str | None) -> None:
    """Write the report.

    Args:
        target: the HTML file.
        revision: of Git, with which everything is compared; None compares nothing.

    Raises:
        ReproError: DVC does not know the revision, or a file that is shown is at fault.

    """
    makers = _makers(params.load(), revision)
    progress = tqdm(makers.items(), desc="report", unit="section", disable=None)
    found = []
    for name, make in progress:
        progress.set_postfix_str(name)
        found.append(make())
    html = render([section for section in found if section.blocks])
    files.write_bytes(target, html.encode("utf-8"))


def render(sections: list[Section]) -> str:
    """Return the page with the given sections."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    page = environment.get_template("page.html")
    return page.render(sections=sections, commit=programs.commit()) + "\n"


def _makers(settings: params.Params, revision: str | None) -> dict[str, Callable[[], Section]]:
    """Return what makes each section, in the order of the page."""
    models = list(settings.models)
    variants = list(settings.variants)
    judged = models + settings.baseline_names + variants
    makers: dict[str, Callable[[], Section]] = {"results": lambda: overview.results(settings)}
    if revision is not None:
        makers["changes"] = lambda: changes.section(revision)
    return makers | {
        "sentiment": overview.sentiment,
        "behaviour": overview.behaviour,
        "training": lambda: curves.training(models + overview.further(settings)),
        "confusion matrices": lambda: curves.confusion(judged),
        "curves": lambda: curves.trade_offs(settings),
        "probabilities": lambda: curves.trust(settings),
        "images": lambda: galleries.images(settings),
        "reviews": lambda: galleries.reviews(settings),
        "networks": lambda: graphs.models(models + variants),
        "pipeline": graphs.pipeline,
    }
