"""The test items that models were surest about and wrong: images to look at, reviews to read."""

import base64
import io
from collections.abc import Hashable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from markupsafe import Markup
from PIL import Image as Picture

from keras_repro.core import files, paths
from keras_repro.core.params import Params
from keras_repro.datasets import registry
from keras_repro.reporting import language, readings
from keras_repro.reporting.blocks import (
    Block,
    Column,
    Gallery,
    Group,
    Heading,
    Image,
    Review,
    Reviews,
    Section,
    Table,
    Text,
    code,
    probable,
)
from keras_repro.reporting.language import say, tell

MISTAKES = {"row": int} | readings.GUESSES | {"probability": float}
# As many as one looks at; the files list more.
IMAGES, REVIEWS = 24, 10
CHARACTERS = 200

Rows = list[dict[Hashable, Any]]


class Split(NamedTuple):
    """The test split of an image dataset.

    Attributes:
        images: uint8 of shape (N, height, width[, 3]).
        labels: of shape (N,).
        classes: their names.

    """

    images: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]

    def are_of(self, mistakes: pd.DataFrame) -> bool:
        """Say whether the rows of a table of mistakes have the classes that it says."""
        rows = mistakes["row"].to_numpy()
        if rows.max() >= len(self.labels):
            return False
        named = [self.classes[label] for label in self.labels[rows]]
        return named == mistakes["actual"].to_list()


def images(settings: Params) -> Section:
    """Return the misread images of each model; a table where the images are not at hand.

    Raises:
        ReproError: a table in metrics/plots/, a file in data/raw/ or the registry is at fault.

    """
    names = [*settings.models, *settings.variants]
    blocks: list[Block] = []
    for dataset in registry.IMAGES:
        own = [name for name in names if registry.dataset_of(name) == dataset]
        found = {name: readings.table(_place(name), MISTAKES) for name in own}
        there = {name: table for name, table in found.items() if table is not None}
        known = _test_images(dataset) if there else None
        for name, table in there.items():
            blocks += [Heading(code(name)), *_images(name, dataset, table, known)]
    intro = say(
        "The test images that a model was surest about and wrong, the surest first, with the "
        "probability of its answer."
    )
    return Section("images", say("Misread images"), _introduced(intro, blocks))


def reviews(settings: Params) -> Section:
    """Return the misread reviews of each model, with the words that it saw if it sees words.

    Raises:
        ReproError: a table in metrics/plots/ is at fault.

    """
    blocks: list[Block] = []
    for name in registry.of_reviews(settings.models):
        table = readings.table(_place(name), MISTAKES | {"text": str}, {"words": str})
        if table is not None:
            shown = tuple(_review(row) for row in table.head(REVIEWS).to_dict("records"))
            blocks += [
                Heading(code(name)),
                Text(_counted(len(shown), len(table), name)),
                *([Reviews(shown)] if shown else []),
            ]
    intro = say(
        "The test reviews that a model was surest about and wrong, the surest first. Below the "
        "text stand the words that the model saw, if it reads words. "
        "What is longer than {} characters ends in “…”."
    ).format(CHARACTERS)
    return Section("reviews", say("Misread reviews"), _introduced(intro, blocks))


def data_uri(image: np.ndarray) -> str:
    """Return an image, uint8 of shape (height, width[, 3]), as a PNG within an address."""
    content = io.BytesIO()
    Picture.fromarray(image).save(content, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode('ascii')}"


def _introduced(intro: str, blocks: list[Block]) -> tuple[Block, ...]:
    if blocks:
        return (Text(intro), *blocks)
    return (Text(tell("No list of mistakes is there yet; {} makes them.", code("make repro"))),)


def _place(name: str) -> Path:
    return paths.plots(name) / "mistakes.csv"


def _test_images(dataset: str) -> Split | None:
    """Return the test split of a dataset, None if it is not at hand."""
    path = paths.raw_images(dataset)
    if not path.is_file():
        return None
    found = files.read_npz(path, ("x_test", "y_test"))
    classes = registry.load().images(dataset).classes
    return Split(found["x_test"], found["y_test"], tuple(classes))


def _images(name: str, dataset: str, table: pd.DataFrame, known: Split | None) -> tuple[Block, ...]:
    """Return the misread images of a model, or their list and why they cannot be shown."""
    shown = table.head(IMAGES).to_dict("records")
    counted = _counted(len(shown), len(table), name)
    if not shown:
        return (Text(counted),)
    if known is not None and known.are_of(table):
        return (Text(counted), _gallery(name, shown, known.images))
    path, command = code(str(paths.raw_images(dataset))), code("make downloads")
    reason = (
        tell("The images are not shown: {} is of another run than this list.", path)
        if known
        else tell("The images are not shown: {} is not there; {} fetches it.", path, command)
    )
    return (Text(counted + Markup(" ") + reason), _list(name, shown))


def _gallery(name: str, shown: Rows, images: np.ndarray) -> Gallery:
    pictures = tuple(
        Image(data_uri(images[row["row"]]), *_verdict(row), row["probability"]) for row in shown
    )
    return Gallery(pictures, say("Images misread by {}").format(name))


def _list(name: str, shown: Rows) -> Table:
    columns = (
        Column(say("row of the test split")),
        Column(say("true class"), number=False),
        Column(say("taken for"), number=False),
        Column(say("probability")),
    )
    rows = tuple((str(row["row"]), *_verdict(row), probable(row["probability"])) for row in shown)
    return Table(say("Images misread by {}").format(name), columns, (Group(rows),))


def _verdict(row: dict[Hashable, Any]) -> tuple[str, str]:
    """Return the true class and what it was taken for."""
    return language.name(row["actual"]), language.name(row["predicted"])


def _counted(shown: int, listed: int, name: str) -> Markup:
    """Say how many are shown of how many that are listed, and where."""
    place = code(str(_place(name)))
    if not listed:
        return tell("None is listed in {}.", place)
    return tell("{} of the {} in {}.", shown, listed, place)


def _review(row: dict[Hashable, Any]) -> Review:
    actual, predicted = _verdict(row)
    return Review(
        text=_cut(row["text"]),
        words=_cut(row.get("words", "")),
        actual=actual,
        predicted=predicted,
        probability=row["probability"],
    )


def _cut(text: str) -> str:
    return text if len(text) <= CHARACTERS else f"{text[:CHARACTERS]}…"
