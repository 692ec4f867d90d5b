"""Which reviews are read, how they become tokens, and where their tables lie."""

import codecs
import re
from collections.abc import Mapping
from pathlib import Path, PurePath
from typing import Annotated, Any, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveInt,
    model_validator,
)

from keras_repro.core.params.classes import EXAMPLE, Classes
from keras_repro.core.params.section import Fraction, ProjectPath, Section, inside_project

# The sources that read `reviews.path`; all others stand in data/registry.yaml.
OWN_SOURCES = ("file", "segmented")
# How a file's name ends whose rows have columns.
TABLES = frozenset((".csv", ".tsv", ".json", ".jsonl", ".parquet", ".xls", ".xlsx"))

Rating = Annotated[int, Field(ge=0, le=5)]
Ratings = Annotated[frozenset[Rating], Field(min_length=1, strict=False)]


def _text_encoding(name: str) -> str:
    try:
        codec = codecs.lookup(name)
    except LookupError:
        codec = None
    # Python also has codecs such as rot13 and base64, which do not end in text.
    if name != "auto" and not (codec and codec._is_text_encoding):  # noqa: SLF001
        raise ValueError(f"expected auto or an encoding such as utf-8 or gb18030, found {name!r}")
    return name


def _directory_or_address(place: str) -> str:
    if re.fullmatch(r"[a-z0-9]+://[^/]+(/[^/]+)*", place):
        return place
    inside_project(Path(place))
    if not place or ":" in place or place != Path(place).as_posix():
        raise ValueError(
            "expected a directory of the repository such as data/interim, or an address such as "
            f"s3://bucket/interim, found {place!r}"
        )
    return place


def _column(value: Any) -> Any:
    if (
        isinstance(value, bool)
        or not isinstance(value, str | int)
        or value in ("", 0)
        or (isinstance(value, int) and value < 0)
    ):
        raise ValueError(f"expected the name of a column or its number from 1 on, found {value!r}")
    return value


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _places(value: Any) -> Any:
    """Refuse in one sentence what pydantic would tell of each member of a union."""
    named = _with_words_as_keys(value)
    each = named.values() if isinstance(named, dict) else [named]
    if value is not None and not (named and all(isinstance(one, str) and one for one in each)):
        raise ValueError(
            "expected a file, a folder or a pattern, or a mapping from labels to these such as "
            f"{{positive: pos.txt, negative: neg.txt}}, found {value!r}"
        )
    return named


def _with_words_as_keys(value: Any) -> Any:
    """YAML has numbers and truth values where a label may be 1 or true."""
    return {str(key): item for key, item in value.items()} if isinstance(value, dict) else value


Corpora = Annotated[tuple[str, ...], BeforeValidator(_as_tuple), Field(min_length=1, strict=False)]
Column = Annotated[str | int, BeforeValidator(_column)]
Encoding = Annotated[str, AfterValidator(_text_encoding)]
# What a label, a rating or an empty cell may be in YAML.
Cell = str | int | float | bool | None
# A file, a folder or a pattern such as data/*.txt; or one of these for each label.
Places = Annotated[str | dict[str, str] | None, BeforeValidator(_places)]


class Reviews(Section):
    """Which corpora of reviews are used, and how a file of one's own is read.

    Attributes:
        source: names of data/registry.yaml, `file` or `segmented`; several are merged in turn.
        path: of a file, a folder or a pattern such as data/*.txt, or an address in an object store;
            or a mapping from labels to these.
        text: the column of the text: its name, or its number counted from 1.
        rating: the column of the rating, if `label` is null.
        label: the column of a label, if `rating` is null. Where both are, the labels are those
            of `path` or of the names of files and folders.
        labels: what is read in place of a rating or label: a label or a rating, null for none.
        classes: names of labels, or a mapping from the name of each class to its ratings, of 0 to
            5; null for negative and positive.
        sheet: of a workbook: its name, or its number counted from 1.
        rating_scale: the best rating; the worst is 0 or 1.
        encoding: of the file; `auto` finds it.
        max_bad_fraction: of all rows read, how many may be rejected.

    """

    source: Corpora
    path: Places = None
    text: Column | None = None
    rating: Column | None = None
    label: Column | None = None
    labels: Annotated[
        dict[str, Cell], BeforeValidator(_with_words_as_keys), Field(default_factory=dict)
    ]
    classes: Classes = None
    sheet: Column = 1
    rating_scale: Annotated[int, Field(ge=2, le=100)] = 5
    encoding: Encoding = "auto"
    max_bad_fraction: Annotated[float, Field(ge=0, le=1)] = 0.05

    @model_validator(mode="after")
    def _readable(self) -> Self:
        if len(set(self.source)) < len(self.source):
            raise ValueError(f"expected each source once, found {', '.join(self.source)}")
        own = [name for name in self.source if name in OWN_SOURCES]
        if len(own) > 1:
            raise ValueError(f"expected one source that reads `path`, found {' and '.join(own)}")
        if own and self.path is None:
            raise ValueError(f"expected the path of a file for the source {own[0]!r}, found null")
        if own == ["segmented"] and not isinstance(self.path, str):
            raise ValueError("expected the path of one file for the source 'segmented'")
        if own == ["file"]:
            if self.rating is not None and self.label is not None:
                raise ValueError("expected a column as either rating or label, found both")
            if self._is_table:
                self._check_columns()
        if isinstance(self.classes, tuple):
            self._check_labelled()
        return self

    def _check_labelled(self) -> None:
        if self.source not in {(name,) for name in OWN_SOURCES}:
            raise ValueError(
                "classes lists names, which the labels of a file tell; expected source: file, or "
                f"the ratings of each class such as {EXAMPLE}, found {', '.join(self.source)}"
            )
        if self.rating is not None and self.source == ("file",):
            raise ValueError(
                f"classes lists names, which a label tells; expected label: {self.rating} and "
                f"rating: null, or the ratings of each class such as {EXAMPLE}"
            )

    @property
    def class_ratings(self) -> dict[str, frozenset[int]] | None:
        """The ratings that mean each class; of labels, the number of each, counted from 1."""
        if isinstance(self.classes, tuple):
            return {name: frozenset([number]) for number, name in enumerate(self.classes, 1)}
        return self.classes

    def _check_columns(self) -> None:
        if self.text is None:
            raise ValueError("expected the name or number of the column with the text as text")
        if self.rating is None and self.label is None:
            raise ValueError("expected a column as either rating or label, found neither")

    @property
    def _is_table(self) -> bool:
        """Whether `path` surely names one table; of others the names may tell the labels."""
        if self.path is None or isinstance(self.path, Mapping) or re.search(r"[*?[]", self.path):
            return False
        suffixes = [name.lower() for name in PurePath(self.path).suffixes]
        return bool(TABLES.intersection(suffixes))


class Storage(Section):
    """Where the text stages put the tables that they hand on.

    Attributes:
        interim: a directory of the repository, or an address in an object store that both pyarrow
            and DVC can read.

    """

    interim: Annotated[str, AfterValidator(_directory_or_address)]

    @property
    def prepared_reviews(self) -> str:
        """The reviews with labels and splits."""
        return f"{self.interim}/reviews.parquet"

    @property
    def segmented_reviews(self) -> str:
        """The same with their words."""
        return f"{self.interim}/segmented.parquet"


class Splits(Section):
    """The share of the reviews in each split."""

    train: Fraction
    validation: Fraction
    test: Fraction

    @model_validator(mode="after")
    def _whole(self) -> Self:
        total = self.train + self.validation + self.test
        if abs(total - 1) > 1e-9:  # noqa: PLR2004 - room for the rounding of binary fractions
            raise ValueError(f"expected train + validation + test = 1, found {total:g}")
        return self


class Spelling(Section):
    """How a text is spelt before it is read.

    Attributes:
        unicode_form: NFKC makes plain letters and digits of full-width ones; null leaves them.
        simplify: traditional characters become simplified ones.
        max_characters: a longer text is no review.

    """

    unicode_form: Literal["NFC", "NFKC"] | None
    simplify: bool
    max_characters: PositiveInt


class Prepare(Spelling):
    """How texts are spelt, ratings become labels and reviews go to splits.

    `duplicates: kept` repeats a fault of the tutorial, to see what it costs: every row stays, and
    its split depends on the row and not on its text, which so stands in several splits.
    `negative` and `positive` count where `reviews.classes` is null.
    """

    negative: Ratings
    positive: Ratings
    splits: Splits
    duplicates: Literal["removed", "kept"] = "removed"

    @model_validator(mode="after")
    def _disjoint(self) -> Self:
        both = self.negative & self.positive
        if both:
            raise ValueError(f"expected each rating once, found {sorted(both)} in both lists")
        return self


def _as_list(value: Any) -> Any:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else value


# A file of dict/, several, or null.
WordLists = Annotated[tuple[ProjectPath, ...], BeforeValidator(_as_list), Field(strict=False)]


class Segment(Section):
    """How reviews are cut into words."""

    engine: Literal["jieba", "rjieba"]
    hmm: bool
    stop_words: WordLists
    user_dict: ProjectPath | None


class Tokenize(Section):
    """Which words the vocabulary holds and how many of a review are kept.

    `learn_from: all` repeats a fault of the tutorial, to see what it costs: the test split has its
    say in the vocabulary.
    """

    max_length: PositiveInt
    min_count: PositiveInt
    num_words: PositiveInt | None
    learn_from: Literal["train", "all"] = "train"


class Compose(Section):
    """Sentences that are made for training beside the reviews.

    Attributes:
        lexicon: of what; null makes none.
        per_review: how many for each training review.
        most: of these, at most.
        neutral: how many more, for each of these, say nothing that is judged.
        min_count: an n-gram or word that fewer of them have gets no id for it.

    """

    lexicon: ProjectPath | None
    per_review: NonNegativeFloat
    most: NonNegativeInt
    neutral: NonNegativeFloat
    min_count: PositiveInt


class Ngrams(Section):
    """Which n-grams of characters have ids, and how much of a review is read.

    Attributes:
        longest: characters of the longest n-gram; four fit a key of 64 bits.
        min_count: of the training reviews, how many must have an n-gram.
        max_ngrams: keep only the commonest; null keeps all.
        max_length: characters kept of a review.

    """

    longest: Annotated[int, Field(ge=1, le=4)]
    min_count: PositiveInt
    max_ngrams: PositiveInt | None
    max_length: PositiveInt
