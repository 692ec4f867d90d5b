"""The encoded sequences as batches of inputs, targets and the weight of each target.

Inputs are mappings from the names of a model's inputs to arrays. Sequences of a batch are padded to
its longest; targets that only pad weigh nothing.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
import numpy as np

from keras_repro.core import files, params, paths
from keras_repro.core.errors import ReproError
from keras_repro.inputs import SequenceInputs, TrainingData, batches
from keras_repro.inputs.batches import Batches
from keras_repro.text import ragged
from keras_repro.text.terms import PAD, SPLITS
from keras_repro.text.vocabulary import FIRST_ID
from keras_repro.tutorial.sequences import BOUNDARY

# Predictions are made in one order, which no parameter changes.
PREDICTION_SEED = 0


class Split(NamedTuple):
    """A part of a dataset for one model.

    Attributes:
        gather: returns inputs, targets and weights of the given rows.
        lengths: of each row, of shape (N,); rows of similar length share a batch.

    """

    gather: Callable[[np.ndarray], tuple[Any, np.ndarray, np.ndarray]]
    lengths: np.ndarray


def load_training(dataset: str, settings: params.SequenceTraining, seed: int) -> TrainingData:
    """Return the training and validation splits of text, words, readings or opinions."""
    if isinstance(settings, params.SampledTraining):
        return _sampled(dataset, settings, seed)
    return _followers(settings, seed)


def in_batches(split: Split, batch_size: int) -> Batches:
    """Return a split for prediction; `rows` tells which rows each batch holds."""
    return Batches(
        split.gather,
        # Shuffled, since Keras must see two lengths in the first two batches.
        lambda random: batches.by_length(split.lengths, batch_size, random),
        PREDICTION_SEED,
    )


def load(dataset: str, split: str, settings: params.SequenceTraining) -> Split:
    """Return one split of a dataset, as the model of these settings reads it."""
    return LOADERS[dataset](split, settings)


def vocabulary(dataset: str, tokens: str) -> dict[str, int]:
    """Return the ids of a dataset's tokens of one kind."""
    content: dict[str, dict[str, int]] = files.read_json(paths.sequence_vocabularies(dataset))
    return content[tokens]


def boundary(dataset: str, tokens: str) -> int:
    """Return the id of the token that begins and ends what a decoder writes."""
    return vocabulary(dataset, tokens)[BOUNDARY]


def arrays(dataset: str, split: str, *names: str) -> list[np.ndarray]:
    """Return arrays of one split of a dataset."""
    keys = [f"{split}_{name}" for name in names]
    found = files.read_npz(paths.sequences(dataset), keys)
    return [found[key] for key in keys]


def sizes(dataset: str) -> SequenceInputs:
    """Return how many ids each kind of token of a dataset has."""
    content = files.read_json(paths.sequence_vocabularies(dataset))
    return SequenceInputs({name: FIRST_ID + len(ids) for name, ids in content.items()})


def shifted(sequences: np.ndarray, first: int) -> np.ndarray:
    """Return what a decoder has written before each token: `first`, then all but the last.

    >>> shifted(np.array([[5, 6, 7]]), first=2).tolist()
    [[2, 5, 6]]
    """
    before = np.roll(sequences, 1, axis=1)
    before[:, 0] = first
    return before


def _sampled(dataset: str, settings: params.SampledTraining, seed: int) -> TrainingData:
    train, validation = (load(dataset, split, settings) for split in SPLITS[:2])

    def arrange(random: np.random.Generator) -> batches.Rows:
        arranged = batches.by_length(train.lengths, settings.batch_size, random)
        if settings.samples is None:
            return arranged
        return arranged[: max(1, settings.samples // settings.batch_size)]

    return TrainingData(
        train=Batches(train.gather, arrange, seed),
        validation=in_batches(validation, settings.batch_size),
        inputs=sizes(dataset),
        rows="sequences",
        loss=keras.losses.SparseCategoricalCrossentropy(reduction="mean_with_sample_weight"),
    )


def _followers(settings: params.SequenceTraining, seed: int) -> TrainingData:
    """Return each character of a split once, with the shares of what follows it.

    All places where a character stands get the same prediction; taken together they cost one row.
    A row weighs as much as its places, so that the loss is the one of all places. The accuracy in
    the history is not: it counts the places whose character's commonest follower is predicted.
    """
    size = sizes("text").vocabularies["characters"]

    def rows_of(split: str) -> tuple[Callable[[np.ndarray], Any], int]:
        text = _text(split, 1)
        order = np.argsort(text[:-1], kind="stable")
        after = text[1:][order]
        characters, starts = np.unique(text[:-1][order], return_index=True)
        ends = np.append(starts[1:], len(after))
        weights = ((ends - starts) * (len(starts) / len(after))).astype(np.float32)

        def gather(rows: np.ndarray) -> tuple[Any, np.ndarray, np.ndarray]:
            shares = [
                np.bincount(after[start:end], minlength=size) / (end - start)
                for start, end in zip(starts[rows], ends[rows], strict=True)
            ]
            inputs = {"characters": characters[rows][:, None]}
            return inputs, np.array(shares, np.float32), weights[rows]

        return gather, len(characters)

    (train, count), (validation, validated) = rows_of("train"), rows_of("validation")
    batch_size = settings.batch_size
    return TrainingData(
        train=Batches(train, lambda random: batches.shuffled(count, batch_size, random), seed),
        validation=Batches(validation, lambda _: batches.in_order(validated, batch_size), seed),
        inputs=sizes("text"),
        rows="characters",
        loss=keras.losses.CategoricalCrossentropy(),  # whose mean is over rows, not over weights
    )


def _text(split: str, context: int) -> np.ndarray:
    """Return the characters of a split, of which `context` are read before one is predicted."""
    (characters,) = arrays("text", split, "characters")
    if len(characters) <= context:
        raise ReproError(
            f"{paths.sequences('text')}: {len(characters)} characters in {split}; "
            f"expected more than the {context} that are read before one is predicted"
        )
    return characters


def _windows(split: str, context: int) -> Split:
    """Return each character of a text with the `context` ones before it."""
    windows = np.lib.stride_tricks.sliding_window_view(_text(split, context), context + 1)

    def gather(rows: np.ndarray) -> tuple[Any, np.ndarray, np.ndarray]:
        chosen = windows[rows]
        return {"characters": chosen[:, :-1]}, chosen[:, -1], np.ones(len(rows), np.float32)

    return Split(gather, np.full(len(windows), context))


def _tagged(split: str) -> Split:
    """Return pieces of lines with a tag for each character."""
    names = ("characters", "pairs", "tags", "offsets")
    characters, pairs, tags, offsets = arrays("words", split, *names)

    def gather(rows: np.ndarray) -> tuple[Any, np.ndarray, np.ndarray]:
        padded = [
            ragged.padded(values, offsets, rows)
            for values in (characters, pairs[:, 0], pairs[:, 1], tags)
        ]
        inputs = {"characters": padded[0], "pairs_before": padded[1], "pairs_after": padded[2]}
        return inputs, padded[3], _weights(padded[0])

    return Split(gather, np.diff(offsets))


def _spoken(split: str) -> Split:
    """Return words with the syllables written so far and the syllables to write."""
    names = ("characters", "character_offsets", "syllables", "syllable_offsets")
    characters, character_offsets, syllables, syllable_offsets = arrays("readings", split, *names)
    first = boundary("readings", "syllables")

    def gather(rows: np.ndarray) -> tuple[Any, np.ndarray, np.ndarray]:
        targets = ragged.padded(syllables, syllable_offsets, rows)
        inputs = {
            "characters": ragged.padded(characters, character_offsets, rows),
            "written": shifted(targets, first),
        }
        return inputs, targets, _weights(targets)

    return Split(gather, np.diff(character_offsets))


def _opinions(split: str) -> Split:
    """Return labels with the characters written so far and the characters to write."""
    labels, characters, offsets = arrays("opinions", split, "labels", "characters", "offsets")
    first = boundary("opinions", "characters")

    def gather(rows: np.ndarray) -> tuple[Any, np.ndarray, np.ndarray]:
        targets = ragged.padded(characters, offsets, rows)
        inputs = {"label": labels[rows][:, None], "written": shifted(targets, first)}
        return inputs, targets, _weights(targets)

    return Split(gather, np.diff(offsets))


def _weights(padded: np.ndarray) -> np.ndarray:
    weights: np.ndarray = (padded != PAD).astype(np.float32)
    return weights


# What each dataset's splits are read with.
LOADERS: dict[str, Callable[[str, Any], Split]] = {
    "text": lambda split, settings: _windows(split, settings.context),
    "words": lambda split, _: _tagged(split),
    "readings": lambda split, _: _spoken(split),
    "opinions": lambda split, _: _opinions(split),
}
