"""The test items that a model was surest about and wrong."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from stages import ReproError, files
from stages.text import ragged, reviews


class Details(NamedTuple):
    """What is told of each mistake beside the classes.

    Attributes:
        header: the names of the further columns.
        rows: their values by the item's row in the test split, the worst mistake first.

    """

    header: tuple[str, ...]
    rows: dict[int, tuple[str, ...]]


def worst(labels: np.ndarray, probabilities: np.ndarray, count: int) -> np.ndarray:
    """Return the rows of the `count` wrong predictions with the greatest probability.

    Of equally wrong ones the earlier row comes first.
    """
    predicted = probabilities.argmax(axis=1)
    wrong = np.flatnonzero(predicted != labels)
    sureness = probabilities[wrong, predicted[wrong]]
    return wrong[np.argsort(-sureness, kind="stable")][:count]


def of_images(rows: np.ndarray) -> Details:
    """Return no details: the row alone leads to the image."""
    return Details((), dict.fromkeys(rows.tolist(), ()))


def of_texts(rows: np.ndarray, ids: np.ndarray, prepared: files.Location) -> Details:
    """Return the id and the whole text of each review.

    Args:
        rows: of the test split.
        ids: of that split, bytes of shape (N,).
        prepared: the table of the reviews.

    Raises:
        ReproError: the table is of another run than the ids.

    """
    found = _reviews(rows, ids, prepared, reviews.PREPARED, ["id", "text"])
    return Details(("id", "text"), {row: (of["id"], of["text"]) for row, of in found.items()})


def of_words(rows: np.ndarray, encoded: ragged.Encoded, segmented: files.Location) -> Details:
    """Return the id of each review, the words that the model saw, and the whole text.

    Args:
        rows: of the test split.
        encoded: that split.
        segmented: the table of the reviews and their words.

    Raises:
        ReproError: the table is of another run than the split.

    """
    columns = ["id", "text", "tokens"]
    found = _reviews(rows, encoded.ids, segmented, reviews.SEGMENTED, columns)
    details: dict[int, tuple[str, ...]] = {}
    for row, of in found.items():
        ids = encoded.tokens[encoded.offsets[row] : encoded.offsets[row + 1]].tolist()
        details[row] = (of["id"], _seen(of["tokens"], ids), of["text"])
    return Details(("id", "words", "text"), details)


def _reviews(
    rows: np.ndarray,
    ids: np.ndarray,
    place: files.Location,
    schema: pa.Schema,
    columns: Sequence[str],
) -> dict[int, dict[str, Any]]:
    """Return the given rows' columns of a table, in the order of `rows`."""
    wanted = {ids[row].decode("ascii"): row for row in rows.tolist()}
    sought = pa.array(list(wanted), pa.string())
    found: dict[int, dict[str, Any]] = {}
    for batch in files.read_parquet(place, schema, columns):
        for review in batch.filter(pc.is_in(batch["id"], sought)).to_pylist():
            found[wanted.pop(review["id"])] = review
    if wanted:
        raise ReproError(
            f"{place}: lacks the review {min(wanted)} of data/processed; expected both of one run "
            "(`dvc repro` makes them)"
        )
    return {row: found[row] for row in rows.tolist()}


def write(
    directory: Path,
    labels: np.ndarray,
    probabilities: np.ndarray,
    classes: Sequence[str],
    details: Details,
) -> None:
    """Write mistakes.csv: a line per row of the test split that `details` tells of."""
    predicted = probabilities.argmax(axis=1)
    files.write_csv(
        directory / "mistakes.csv",
        ("row", "actual", "predicted", "probability", *details.header),
        (
            (
                row,
                classes[labels[row]],
                classes[predicted[row]],
                float(probabilities[row, predicted[row]]),
                *more,
            )
            for row, more in details.rows.items()
        ),
    )


def _seen(tokens: list[str], ids: list[int]) -> str:
    """Return the words behind the ids; the ids end where the model's view of the review does."""
    return " ".join(
        reviews.UNKNOWN_TOKEN if number == reviews.UNKNOWN else token
        for token, number in zip(tokens, ids, strict=False)
    )
