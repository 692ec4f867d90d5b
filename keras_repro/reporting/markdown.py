"""The pages that show results between two markers, and their chart."""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from keras_repro.core.errors import ReproError
from keras_repro.reporting import results, results_chart, tutorial_results
from keras_repro.reporting.results import CHINESE, ENGLISH

BEGIN = "<!-- results: written by `make readme` from metrics/ -->"
END = "<!-- end of results -->"

# What each page shows between its markers, by the models of params.yaml.
PAGES: dict[Path, Callable[[Sequence[str]], str]] = {
    Path("README.md"): results.table,
    Path("README.zh-CN.md"): partial(results.table, labels=CHINESE),
    Path("docs/sentiment.md"): results.compared,
    Path("docs/sentiment.zh.md"): partial(results.compared, labels=CHINESE),
    Path("docs/models.md"): lambda _: tutorial_results.models(tutorial_results.ENGLISH),
    Path("docs/models.zh.md"): lambda _: tutorial_results.models(tutorial_results.CHINESE),
    Path("docs/sequences.md"): lambda _: tutorial_results.sequences(tutorial_results.ENGLISH),
    Path("docs/sequences.zh.md"): lambda _: tutorial_results.sequences(tutorial_results.CHINESE),
    Path("docs/transfer.md"): lambda _: tutorial_results.transfer(tutorial_results.ENGLISH),
    Path("docs/transfer.zh.md"): lambda _: tutorial_results.transfer(tutorial_results.CHINESE),
}
CHARTS = {Path("docs/results.svg"): ENGLISH, Path("docs/results.zh.svg"): CHINESE}


def written(models: Sequence[str]) -> dict[Path, str]:
    """Return what `keras-repro results --write` leaves in each file.

    Raises:
        ReproError: metrics are missing, or a page or one of its markers.

    """
    pages = {page: insert(page, shown(models)) for page, shown in PAGES.items()}
    return pages | {path: results_chart.drawn(labels) for path, labels in CHARTS.items()}


def insert(path: Path, content: str) -> str:
    """Return the text of a Markdown file with `content` between the two markers.

    Raises:
        ReproError: the file is missing or lacks a marker.

    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ReproError(f"{path}: not found") from None
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ReproError(f"{path}: expected the markers {BEGIN!r} and {END!r}, in this order")
    return f"{before}{BEGIN}\n\n{content}\n\n{END}{after}"
