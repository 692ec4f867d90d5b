"""The report: an HTML page in each language that holds all that it shows."""

from collections.abc import Callable
from pathlib import Path

import jinja2
from tqdm import tqdm

from keras_repro.core import files, params
from keras_repro.reporting import (
    capabilities,
    changes,
    curves,
    galleries,
    graphs,
    headline,
    language,
    overview,
    programs,
)
from keras_repro.reporting.blocks import Section, probable

TEMPLATES = Path(__file__).parent / "templates"


def write(target: Path, revision: str | None) -> list[Path]:
    """Write the report in each language and return where: report.html and report.zh.html, say.

    Args:
        target: the HTML file in English; that in Chinese lies beside it.
        revision: of Git, with which everything is compared; None compares nothing.

    Raises:
        ReproError: DVC does not know the revision, or a file that is shown is at fault.

    """
    makers = _makers(params.load(), revision)
    targets = places(target)
    found: dict[str, list[Section]] = {tag: [] for tag in language.LANGUAGES}
    progress = tqdm(makers.items(), desc="report", unit="section", disable=None)
    for name, make in progress:
        progress.set_postfix_str(name)
        for tag, sections in found.items():
            with language.speaking(tag):
                sections.append(make())
    for tag, sections in found.items():
        html = render([section for section in sections if section.blocks], tag, targets)
        files.write_bytes(targets[tag], html.encode("utf-8"))
    return list(targets.values())


def places(target: Path) -> dict[str, Path]:
    """Return where the page lies in each language.

    >>> places(Path("build/report.html"))["zh-CN"].as_posix()
    'build/report.zh.html'
    """
    chinese = target.with_name(f"{target.stem}.zh{target.suffix}")
    return {language.ENGLISH: target, language.TAG_OF_CHINESE: chinese}


def render(
    sections: list[Section], tag: str = language.ENGLISH, targets: dict[str, Path] | None = None
) -> str:
    """Return the page with the given sections.

    Args:
        sections: in a language.
        tag: of that language.
        targets: where the page lies in each, if it does.

    """
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.globals |= {"say": language.say, "tell": language.tell, "probable": probable}
    others = {other: path.name for other, path in (targets or {}).items() if other != tag}
    with language.speaking(tag):
        page = environment.get_template("page.html")
        return (
            page.render(sections=sections, tag=tag, others=others, commit=programs.commit()) + "\n"
        )


def _makers(settings: params.Params, revision: str | None) -> dict[str, Callable[[], Section]]:
    """Return what makes each section, in the order of the page."""
    models = list(settings.models)
    variants = list(settings.variants)
    judged = models + settings.baseline_names + variants
    makers: dict[str, Callable[[], Section]] = {"headline": lambda: headline.section(settings)}
    if revision is not None:
        changed = changes.read(revision)
        makers["changes"] = lambda: changes.section(changed)
    stages = graphs.read()
    return makers | {
        "sentiment": overview.sentiment,
        "behaviour": capabilities.section,
        "images": lambda: galleries.images(settings),
        "reviews": lambda: galleries.reviews(settings),
        "results": lambda: overview.results(settings),
        "training": lambda: curves.training(models + overview.further(settings)),
        "confusion matrices": lambda: curves.confusion(judged),
        "curves": lambda: curves.trade_offs(settings),
        "probabilities": lambda: curves.trust(settings),
        "networks": lambda: graphs.models(models + variants),
        "pipeline": lambda: graphs.pipeline(stages),
    }
