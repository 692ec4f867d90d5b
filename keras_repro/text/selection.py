"""Which reviews are used, with which label, in which split."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from keras_repro.core import parquet, paths
from keras_repro.core.errors import ReproError
from keras_repro.core.params import Params, Prepare, Splits
from keras_repro.text import normalisation, schemas, terms
from keras_repro.text.repetitions import CONTRADICTORY, DUPLICATE, KEPT, Repetitions

ID_DIGITS = 16
EXAMPLE_CHARACTERS = 80
COMMONEST = 3

# What may become of a row of the corpus; each row is counted under exactly one.
OUTCOMES = ("kept", "duplicates", "neutral", "contradictory", "rejected")

# A row after cleaning: `label` is null for a neutral rating; `id` and `label` are null for a fault.
CLEANED = pa.schema(
    [
        ("id", pa.string()),
        ("label", pa.int8()),
        ("text", pa.string()),
        ("source", pa.string()),
        ("line", pa.int64()),
        ("fault", pa.string()),
    ]
)


def identify(text: str) -> str:
    """Return the id of a normalised text: the first 16 digits of its SHA-256.

    >>> identify("很好!")
    '3e92dfa239e2b796'
    """
    return hashlib.sha256(text.encode("utf-8")).hexdigest()[:ID_DIGITS]


def splits_of(ids: np.ndarray, splits: Splits) -> np.ndarray:
    """Return the number of the split of each review, which depends on its id alone.

    The ids are uniform over their range, so the splits get their shares of each class, and a review
    stays where it is whatever else the corpus gains or loses.

    Args:
        ids: as uint64, of shape (N,).
        splits: the share of each.

    >>> shares = Splits(train=0.8, validation=0.1, test=0.1)
    >>> ids = np.array([int(digit * 16, 16) for digit in "0bdf"], np.uint64)
    >>> [terms.SPLITS[number] for number in splits_of(ids, shares)]
    ['train', 'train', 'validation', 'test']

    """
    bounds = [splits.train, splits.train + splits.validation]
    return np.searchsorted(bounds, ids / 2.0**64, side="right")


def clean(
    settings: Prepare, classes: Mapping[str, AbstractSet[int]], batch: pa.RecordBatch
) -> pa.RecordBatch:
    """Return rows of `schemas.RAW` as rows of `CLEANED`.

    Args:
        settings: the section `prepare` of params.yaml.
        classes: the ratings that mean each, in the order of the labels.
        batch: the rows.

    """
    label = {rating: place for place, each in enumerate(classes.values()) for rating in each}
    columns = (batch[name].to_pylist() for name in ("rating", "text", "fault", "source", "line"))
    rows = [
        (None, None, text, fault)
        if fault
        else _cleaned(text, label.get(rating), f"{source} {line}", settings)
        for rating, text, fault, source, line in zip(*columns, strict=True)
    ]
    identities, labels, texts, faults = zip(*rows, strict=True) if rows else [()] * 4
    content = {
        "id": identities,
        "label": labels,
        "text": texts,
        "source": batch["source"],
        "line": batch["line"],
        "fault": faults,
    }
    return pa.RecordBatch.from_pydict(content, schema=CLEANED)


def _cleaned(
    text: str, label: int | None, row: str, settings: Prepare
) -> tuple[str | None, int | None, str, str | None]:
    clear = normalisation.spelt(text, settings)
    if fault := normalisation.fault(clear, settings):
        return None, None, text, fault
    identity = clear if settings.duplicates == "removed" else f"{row} {clear}"
    return identify(identity), label, clear, None


class Selection:
    """Two passes over a corpus: the first finds what repeats, the second yields what is kept.

    Args:
        settings: params.yaml.
        scratch: an empty directory, which gets the cleaned corpus.

    Attributes:
        counts: rows per outcome, fault and source, and kept reviews per split and class; complete
            when all that is `kept()` has been taken.

    """

    def __init__(self, settings: Params, scratch: Path) -> None:
        self._splits, self._reviews = settings.prepare.splits, settings.reviews
        self._classes = settings.classes
        self._names = tuple(self._classes)
        self._cleaned = scratch / "cleaned.parquet"
        self._outcomes = scratch / "outcomes.bin"
        self._repetitions = scratch / "repetitions"
        self._examples: dict[str, str] = {}
        self.counts: Counter[str] = Counter(
            dict.fromkeys(["rows", *OUTCOMES, *map(_counter_of, terms.FAULTS)], 0)
        )

    def read(self, batches: Iterable[pa.RecordBatch]) -> None:
        """Take in the whole corpus, as `clean` returns it."""
        self._repetitions.mkdir()
        with Repetitions(self._repetitions) as repetitions:
            parquet.write(self._cleaned, CLEANED, self._watched(batches, repetitions))
            if self.counts["rows"] == 0:
                return
            # One byte per row, in a file for the sake of corpora that outgrow the memory.
            outcomes = np.memmap(self._outcomes, np.int8, "w+", shape=self.counts["rows"])
            for rows, found in repetitions.outcomes():
                outcomes[rows] = found
            outcomes.flush()

    def _watched(
        self, batches: Iterable[pa.RecordBatch], repetitions: Repetitions
    ) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            faults = batch["fault"]
            for value in pc.value_counts(faults.drop_null()).to_pylist():
                self.counts[_counter_of(value["values"])] += value["counts"]
                self.counts["rejected"] += value["counts"]
                self._note_example(value["values"], batch)
            neutral = pc.and_(pc.is_null(batch["label"]), pc.is_null(faults))
            self.counts["neutral"] += pc.sum(neutral).as_py() or 0
            rated = np.flatnonzero(batch["label"].is_valid())
            chosen = batch.take(pa.array(rated))
            repetitions.add(
                _as_numbers(chosen["id"]), self.counts["rows"] + rated, np.asarray(chosen["label"])
            )
            self.counts["rows"] += batch.num_rows
            yield batch

    def _note_example(self, fault: str, batch: pa.RecordBatch) -> None:
        if fault not in self._examples:
            row = batch.slice(pc.index(batch["fault"], fault).as_py(), 1).to_pylist()[0]
            text = row["text"][:EXAMPLE_CHARACTERS]
            self._examples[fault] = f"{row['source']}, line {row['line']}: {text!r}"

    def check_rows(self) -> None:
        """See to it that there are rows, and not too many bad ones among them.

        Raises:
            ReproError: there are none, or more are rejected than may be.

        """
        rows, rejected = self.counts["rows"], self.counts["rejected"]
        if rows == 0:
            raise ReproError(f"{paths.RAW_REVIEWS}: no rows; expected reviews of each class")
        most = self._reviews.max_bad_fraction
        if rejected > most * rows:
            commonest = sorted(self._examples, key=lambda fault: -self.counts[_counter_of(fault)])
            lines = [
                f"  {self.counts[_counter_of(fault)]:,} × {fault}, such as {self._examples[fault]}"
                + (f"\n    expected {hint}" if (hint := self._expected(fault)) else "")
                for fault in commonest[:COMMONEST]
            ]
            raise ReproError(
                f"{paths.RAW_REVIEWS}: {rejected:,} of {rows:,} rows are no reviews; expected at "
                f"most {most:g} of them (reviews.max_bad_fraction in "
                f"{paths.PARAMS}; all are in {paths.REJECTED_REVIEWS})\n" + "\n".join(lines)
            )

    def _expected(self, fault: str) -> str | None:
        if fault == terms.UNKNOWN_LABEL and isinstance(self._reviews.classes, tuple):
            return (
                f"{', '.join(self._names)} (reviews.classes); reviews.labels says what others mean"
            )
        return terms.EXPECTED.get(fault)

    def kept(self) -> Iterator[pa.RecordBatch]:
        """Yield the kept reviews, in the corpus' order, as rows of `schemas.PREPARED`.

        Raises:
            ReproError: a split lacks a class.

        """
        outcomes = np.memmap(self._outcomes, np.int8, "r")
        start = 0
        for batch in parquet.read(self._cleaned, CLEANED):
            found = outcomes[start : start + batch.num_rows]
            start += batch.num_rows
            self.counts["duplicates"] += int((found == DUPLICATE).sum())
            self.counts["contradictory"] += int((found == CONTRADICTORY).sum())
            chosen = batch.filter(pa.array(found == KEPT))
            self.counts["kept"] += chosen.num_rows
            splits = splits_of(_as_numbers(chosen["id"]), self._splits)
            self._count_kept(chosen, splits)
            names = pa.array(terms.SPLITS).take(pa.array(splits))
            columns = {name: chosen[name] for name in ("id", "label", "text", "source")}
            yield pa.RecordBatch.from_pydict(columns | {"split": names}, schema=schemas.PREPARED)
        self._check()

    def _count_kept(self, chosen: pa.RecordBatch, splits: np.ndarray) -> None:
        pairs = Counter(zip(splits.tolist(), chosen["label"].to_pylist(), strict=True))
        for (split, label), count in pairs.items():
            self.counts[f"{terms.SPLITS[split]}_{self._names[label]}"] += count
        for value in pc.value_counts(chosen["source"]).to_pylist():
            self.counts[f"kept_from_{value['values']}"] += value["counts"]

    def rejected(self) -> Iterator[tuple[Any, ...]]:
        """Yield the source, the line, the fault and the text of each row that is no review."""
        columns = ("source", "line", "fault", "text")
        for batch in parquet.read(self._cleaned, CLEANED, columns):
            bad = batch.filter(batch["fault"].is_valid())
            yield from zip(*(bad[name].to_pylist() for name in columns), strict=True)

    def _check(self) -> None:
        """Raise if there is nothing to train, to validate or to test one of the classes with."""
        if self.counts["rows"] != sum(self.counts[outcome] for outcome in OUTCOMES):
            raise AssertionError(f"rows went missing: {dict(self.counts)}")
        lacking = {
            name: lacks
            for name in self._names
            if (lacks := [s for s in terms.SPLITS if self.counts[f"{s}_{name}"] == 0])
        }
        if not lacking:
            return
        found = [
            f"the {lacks[0]} split has no {name} review ({self._meaning(name)}) and the corpus "
            f"{sum(self.counts[f'{split}_{name}'] for split in terms.SPLITS)}"
            for name, lacks in lacking.items()
        ]
        raise ReproError(
            f"{paths.RAW_REVIEWS}: {', '.join(found)} ({self._told()}); expected at least one in "
            "each split, so a few dozen distinct ones of each class"
        )

    def _meaning(self, name: str) -> str:
        if isinstance(self._reviews.classes, tuple):
            return "by its label"
        return f"rating {' or '.join(map(str, sorted(self._classes[name])))}"

    def _told(self) -> str:
        told = (f"{self.counts[outcome]:,} {outcome}" for outcome in OUTCOMES)
        return f"of {self.counts['rows']:,} rows {', '.join(told)}"


def _counter_of(fault: str) -> str:
    """Return the name under which a fault is counted.

    >>> _counter_of("no text")
    'rejected_no_text'
    """
    return f"rejected_{fault.lower().replace(' ', '_')}"


def _as_numbers(ids: pa.Array) -> np.ndarray:
    """Return ids as uint64."""
    return np.frombuffer(bytes.fromhex("".join(ids.to_pylist())), ">u8").astype(np.uint64)
