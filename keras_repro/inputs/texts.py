"""What words and n-grams have in common: how a text is spelt and cut, and batches of reviews."""

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, Protocol

import numpy as np
from pydantic import Field

from keras_repro.core import files, paths
from keras_repro.core.errors import ReproError
from keras_repro.core.params import Params, Section, Spelling, Training
from keras_repro.core.params import Reader as ReaderSettings
from keras_repro.inputs import Split
from keras_repro.text import characters, grounds, lexicon, normalisation, ragged, segmentation

if TYPE_CHECKING:
    import pyarrow as pa

    from keras_repro.inputs.batches import Batches

USER_WORDS = "user_dict.txt"  # a file of a bundle

# Makes of padded ids of shape (N, length) that which a network takes.
Inputs = Callable[[np.ndarray], np.ndarray]


class Encoded(NamedTuple):
    """Texts as numbers.

    Attributes:
        values: of all texts in turn, int32 of shape (total,).
        lengths: how many of them each text has, of shape (N,).

    """

    values: np.ndarray
    lengths: np.ndarray

    def padded(self, rows: np.ndarray) -> np.ndarray:
        """Return the given texts as int32 of shape (len(rows), longest), zeros at the end."""
        return ragged.padded(self.values, np.append(0, np.cumsum(self.lengths)), rows)


class Reader(Protocol):
    """Reads texts for a network, as the pipeline reads reviews."""

    def encoded(self, given: Sequence[str]) -> Encoded:
        """Return texts in the model's spelling as numbers."""

    def inputs(self, padded: np.ndarray) -> np.ndarray:
        """Return what the network takes, of numbers of shape (N, length) padded with 0."""

    def known(self, inputs: np.ndarray, lengths: np.ndarray) -> np.ndarray:
        """Return whether the model knows words of a text, bool of shape (N,).

        Args:
            inputs: of the network.
            lengths: of each text, without padding, of shape (N,).

        """


class TextReading(Section):
    """How a model of texts reads them; see its kinds in `words` and `ngrams`.

    Attributes:
        kind: tells the kinds of readings apart.
        spelling: of the texts.
        engine: that cuts them into words.
        signs: what says something without a Chinese character.

    """

    kind: str
    spelling: Spelling
    engine: Literal["jieba", "rjieba"]
    signs: Annotated[tuple[str, ...], Field(strict=False)]

    @property
    def packages(self) -> tuple[str, ...]:
        """Packages in whose other versions the same text would be read otherwise."""
        return (self.engine, "opencc") if self.spelling.simplify else (self.engine,)

    def reader(self, directory: Path) -> Reader:
        """Return what reads texts, by the files of a bundle."""
        raise NotImplementedError

    def spelt(self, text: str) -> str:
        """Return a text in the spelling that the model has learned.

        Raises:
            ReproError: nothing is left of it, or it is longer than any review of the training.

        """
        # What came from bytes that were no text has surrogates, which no encoding can write again.
        text = text.encode("utf-8", "replace").decode("utf-8")
        text = normalisation.spelt(text, self.spelling)
        if normalisation.fault(text, self.spelling):
            raise ReproError(
                f"a text of {len(text):,} characters; "
                f"expected 1 to {self.spelling.max_characters:,}"
            )
        return text

    def user_words(self, directory: Path) -> tuple[segmentation.UserWord, ...]:
        """Return the words of the user's dictionary, from a bundle."""
        return segmentation.load_user_words(directory / USER_WORDS)

    def segmenter(self, directory: Path) -> segmentation.Segmenter:
        """Return what cuts a text into words of which none is left out; 0.7 s to load at first."""
        return _segmenter(self.engine, self.user_words(directory))


@cache  # jieba's dictionary takes 100 MB, and a model may read words as its explainer does
def _segmenter(
    engine: Literal["jieba", "rjieba"], user_words: tuple[segmentation.UserWord, ...]
) -> segmentation.Segmenter:
    with jieba_cache() as directory:
        return segmentation.Segmenter(characters.cutting(engine, user_words), directory)


@contextmanager
def jieba_cache() -> Iterator[Path]:
    """Yield where jieba keeps its parsed dictionary while it is loaded.

    Where the user has no cache, or one that cannot be written, it is a directory that is removed
    again: 9 MB, which jieba would leave behind each time.

    Raises:
        ReproError: no directory can be written at all.

    """
    try:
        directory = paths.user_cache() / "jieba"
        directory.mkdir(parents=True, exist_ok=True)
        kept = directory.glob("*.cache")  # jieba lets nobody else read what it keeps
        usable = os.access(directory, os.W_OK) or any(os.access(path, os.R_OK) for path in kept)
    except (OSError, RuntimeError):
        usable = False
    if usable:
        yield directory
        return
    try:
        temporary = tempfile.TemporaryDirectory(prefix="keras-repro-")
    except OSError:
        raise ReproError(
            "no directory can be written; expected one for jieba's dictionary (set XDG_CACHE_HOME)"
        ) from None
    with temporary as name:
        yield Path(name)


def packed(params: Params, directory: Path) -> dict[str, Any]:
    """Write the user's dictionary into a bundle; return what `TextReading` says of it."""
    segment = params.segment
    concatenate(filter(None, [segment.user_dict]), directory / USER_WORDS)
    spelling = Spelling(**params.prepare.model_dump(include=set(Spelling.model_fields)))
    place = params.compose.lexicon
    words = lexicon.read(place).wholes() if place else ()
    signs = grounds.signs([normalisation.spelt(word, spelling) for word in words])
    return {"spelling": spelling, "engine": segment.engine, "signs": tuple(signs)}


def concatenate(sources: Iterable[Path], target: Path) -> None:
    """Write lists of words one after the other."""
    contents = (source.read_text(encoding="utf-8").rstrip("\n") for source in sources)
    files.write_bytes(target, "".join(f"{content}\n" for content in contents).encode())


def training(
    train: ragged.Encoded,
    validation: ragged.Encoded,
    inputs: Inputs,
    settings: Training,
    seed: int,
) -> tuple["Batches", "Batches"]:
    """Return what trains and what validates a model of encoded texts.

    Args:
        train: what is learnt from.
        validation: what the epochs are measured on.
        inputs: what the network takes of padded ids.
        settings: of the model.
        seed: of the order of the batches.

    """
    from keras_repro.inputs import batches

    def arranged(random: np.random.Generator) -> batches.Rows:
        if isinstance(settings, ReaderSettings):
            return batches.by_size(
                train.lengths, settings.batch_size, settings.batch_characters, random
            )
        return batches.by_length(train.lengths, settings.batch_size, random)

    shuffled = batches.Batches(partial(_gather, train, inputs), arranged, seed)
    return shuffled, _in_order(validation, inputs, settings.batch_size)


def split(path: Path, inputs: Inputs, name: str, batch_size: int) -> Split:
    """Return a split of encoded reviews, to be measured."""
    encoded = ragged.read(name, path)
    ordered = _in_order(encoded, inputs, batch_size)
    sources = ragged.read_sources(path)
    return Split(ordered, encoded.labels, encoded.sources, sources, encoded.ids)


def rows_of(
    rows: np.ndarray,
    ids: np.ndarray,
    place: files.Location,
    schema: "pa.Schema",
    columns: Sequence[str],
) -> dict[int, dict[str, Any]]:
    """Return columns of a table of reviews for rows of a split, in the order of `rows`.

    Args:
        rows: of the split.
        ids: of that split, bytes of shape (N,).
        place: of the table.
        schema: of the table.
        columns: that are wanted, `id` among them.

    Raises:
        ReproError: the table is of another run than the split.

    """
    import pyarrow as pa
    import pyarrow.compute as pc

    from keras_repro.core import parquet

    wanted = {ids[row].decode("ascii"): row for row in rows.tolist()}
    sought = pa.array(list(wanted), pa.string())
    found: dict[int, dict[str, Any]] = {}
    for batch in parquet.read(place, schema, columns):
        for review in batch.filter(pc.is_in(batch["id"], sought)).to_pylist():
            found[wanted.pop(review["id"])] = review
    if wanted:
        raise ReproError(
            f"{place}: lacks the review {min(wanted)} of data/processed; expected both of one run "
            "(`dvc repro` makes them)"
        )
    return {row: found[row] for row in rows.tolist()}


def _gather(
    encoded: ragged.Encoded, inputs: Inputs, rows: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    return inputs(encoded.padded(rows)), encoded.labels[rows]


def _in_order(encoded: ragged.Encoded, inputs: Inputs, batch_size: int) -> "Batches":
    from keras_repro.inputs import batches

    return batches.Batches(
        partial(_gather, encoded, inputs),
        lambda _: batches.by_length(encoded.lengths, batch_size, None),
        seed=0,
    )
