"""Reports for the tests: of a small run, of a clone, and of the committed metrics."""

import csv
import shutil
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from conftest import MODELS, ROOT, Project

from keras_repro.core import files, params, paths
from keras_repro.evaluation import behaviour
from keras_repro.serving import tools

# What draws takes a second to import, and most tests do without it.
if TYPE_CHECKING:
    from keras_repro.reporting.blocks import Section

MAIN_TABLE = "Test metrics of the models"


DOT = """digraph "small" {
  "in" [label="in\\nInputLayer"];
  subgraph "cluster_part" { label="part"; "part/out" [label="out\\nDense"]; }
  "in" -> "part/out";
}
"""


LAYERS = "layer  kind\nin     InputLayer\nout    Dense\n"


class Cell(NamedTuple):
    text: str
    small: list[str]


class Parsed(HTMLParser):
    """What the tests look at in a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.tables: dict[str, list[list[Cell]]] = {}
        self.texts: dict[str, list[str]] = {}
        self._open: list[str] = []
        self._table: list[list[Cell]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attributes}
        self.tags.append((tag, found))
        self.ids += [found["id"]] if "id" in found else []
        self._open.append(tag)
        if tag == "table":
            self._table = []
        elif tag == "tr":
            self._table.append([])
        elif tag in ("td", "th"):
            self._table[-1].append(Cell("", []))
        elif tag == "small" and "tr" in self._open:
            self._table[-1][-1].small.append("")
        self.texts.setdefault(tag, []).append("")

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attributes)
        self._open.pop()

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        for tag in set(self._open):
            self.texts[tag][-1] += data
        if "caption" in self._open:
            self.tables[data] = self._table
        if "tr" in self._open and self._table[-1]:
            cell = self._table[-1][-1]
            if "small" in self._open:
                cell.small[-1] += data
            else:
                self._table[-1][-1] = Cell(cell.text + data, cell.small)

    def rows(self, caption: str) -> dict[str, list[Cell]]:
        """Return the cells of each row of a table by its first, without those of the head."""
        _, *rows = self.tables[caption]
        stripped = [[Cell(cell.text.strip(), cell.small) for cell in row] for row in rows]
        return {row[0].text: row[1:] for row in stripped if len(row) > 1}

    def attributes(self, name: str) -> list[str]:
        """Return all values of an attribute."""
        return [found[name] for _, found in self.tags if name in found]


def rendered(*sections: "Section") -> Parsed:
    from keras_repro.reporting import page

    return Parsed(page.render(list(sections)))


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def both(target: Path) -> list[Path]:
    """Return where the report lies in each language."""

    from keras_repro.reporting import page

    return list(page.places(target).values())


@pytest.fixture(scope="session")
def changed(small_run: Project, shared: Callable) -> Project:
    """A run with a network drawn, then a parameter, a metric and a curve changed; two commits."""

    def make(root: Path) -> None:
        project = small_run.copy(root)
        for path, content in ((paths.diagram(MODELS[0]), DOT), (paths.summary(MODELS[0]), LAYERS)):
            (root / path).write_text(content, encoding="utf-8")
        project.set("models.mnist_sequential.batch_size", 77)
        metrics = root / paths.metrics("mnist_sequential")
        found = files.read_json(metrics)
        files.write_json(metrics, found | {"accuracy": found["accuracy"] / 2})
        history = root / paths.history("mnist_sequential")
        rows = [list(row.values()) for row in rows_of(history)]
        header = list(rows_of(history)[0])
        rows[-1][header.index("accuracy")] = "0.125"
        files.write_csv(history, header, rows)
        project.commit("Another metric")

    return Project(shared("changed", make))


@pytest.fixture(scope="session")
def whole(changed: Project, shared: Callable) -> str:
    """The report of that run beside its first commit."""

    def make(root: Path) -> None:
        result = changed.command("report", "--rev", "HEAD~1")
        assert result.returncode == 0, result.stderr
        target = changed.root / tools.REPORT
        told = [f"{path.relative_to(changed.root)}: {files.sized(path)}" for path in both(target)]
        assert result.stdout.splitlines() == told
        root.mkdir()
        for path in both(target):
            shutil.copyfile(path, root / path.name)

    return (shared("whole", make) / tools.REPORT.name).read_text("utf-8")


@pytest.fixture(scope="session")
def chinese(whole: str, shared: Callable) -> str:
    """The same report in Chinese."""
    assert whole
    _, path = both(shared("whole", lambda _: None) / tools.REPORT.name)
    return path.read_text("utf-8")


@pytest.fixture(scope="session")
def bare(small_run: Project, shared: Callable) -> str:
    """The report of a clone, which has neither data nor models, and lacks metrics of one model."""

    def make(root: Path) -> None:
        project = small_run.clone(root)
        (root / paths.metrics("cifar10_cnn")).unlink()
        shutil.rmtree(root / paths.plots("mnist_functional"))
        result = project.command("report", "--out", "elsewhere/page.html")
        assert result.returncode == 0, result.stderr

    return (shared("bare", make) / "elsewhere/page.html").read_text("utf-8")


@pytest.fixture
def committed(head: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> params.Params:
    return beside_committed_metrics(head, tmp_path, monkeypatch)


def beside_committed_metrics(
    head: Path, root: Path, monkeypatch: pytest.MonkeyPatch
) -> params.Params:
    """Go where the parameters, the registry and the committed metrics are, and nothing else."""

    from keras_repro.reporting import overview, readings

    for name in ("params.yaml", "data/registry.yaml", behaviour.CASES, behaviour.PAIRS):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, root / name)
    shutil.copytree(head / paths.METRICS, root / paths.METRICS)
    monkeypatch.chdir(root)
    # After a new training and before `compare` these may be of different runs.
    for name, of in readings.comparison().metrics.items():
        files.write_json(paths.metrics(name), {metric: of[metric] for metric in overview.TITLES})
    return params.load()


def all_sections(settings: params.Params) -> "list[Section]":
    """Return all sections but those for which DVC is asked."""

    from keras_repro.reporting import capabilities, curves, galleries, graphs, headline, overview

    names = MODELS + overview.further(settings)
    return [
        headline.section(settings),
        overview.sentiment(),
        capabilities.section(),
        overview.results(settings),
        curves.training(names),
        curves.confusion(names + settings.baseline_names),
        curves.trade_offs(settings),
        curves.trust(settings),
        galleries.images(settings),
        galleries.reviews(settings),
        graphs.models(names),
    ]
