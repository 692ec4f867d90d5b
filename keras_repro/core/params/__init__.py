"""params.yaml as validated, frozen objects: an unknown key or a wrong type is an error."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from keras_repro.core import paths
from keras_repro.core.errors import ReproError
from keras_repro.core.params.baselines import (
    Baselines,
    FasttextBaseline,
    SnownlpBaseline,
    TfidfBaseline,
)
from keras_repro.core.params.general import Download, Evaluate, Runtime, Scheduler, Workers
from keras_repro.core.params.models import (
    Bilstm,
    Cnn,
    Gate,
    Hybrid,
    ImageTraining,
    Mlp,
    Reader,
    Wide,
)
from keras_repro.core.params.reading import validated, validated_part
from keras_repro.core.params.reviews import (
    OWN_SOURCES,
    Compose,
    Ngrams,
    Prepare,
    Reviews,
    Segment,
    Spelling,
    Splits,
    Storage,
    Tokenize,
)
from keras_repro.core.params.section import Fraction, Section
from keras_repro.core.params.seq2seq import (
    EncoderDecoder,
    ManyToMany,
    ManyToOne,
    OneToMany,
    OneToOne,
    SampledTraining,
    Seq2seq,
    SequenceData,
    SequenceTraining,
)
from keras_repro.core.params.training import (
    Callbacks,
    Checkpoint,
    Loss,
    Metric,
    Optimizer,
    PerturbedTraining,
    ReduceLearningRate,
    TensorBoard,
    Training,
)
from keras_repro.core.params.transfer import Head, Task, Transfer

__all__ = [
    "OWN_SOURCES",
    "Baselines",
    "Bilstm",
    "Callbacks",
    "Checkpoint",
    "Cnn",
    "Compose",
    "Download",
    "EncoderDecoder",
    "Evaluate",
    "FasttextBaseline",
    "Fraction",
    "Gate",
    "Head",
    "Hybrid",
    "ImageTraining",
    "Loss",
    "ManyToMany",
    "ManyToOne",
    "Metric",
    "Mlp",
    "Ngrams",
    "OneToMany",
    "OneToOne",
    "Optimizer",
    "Params",
    "PerturbedTraining",
    "Prepare",
    "Reader",
    "ReduceLearningRate",
    "Reviews",
    "Runtime",
    "SampledTraining",
    "Section",
    "Segment",
    "Seq2seq",
    "SequenceData",
    "SequenceTraining",
    "SnownlpBaseline",
    "Spelling",
    "Splits",
    "Storage",
    "Task",
    "TensorBoard",
    "TfidfBaseline",
    "Tokenize",
    "Training",
    "Transfer",
    "Wide",
    "load",
    "validated",
]

Kind = TypeVar("Kind")
Given = TypeVar("Given", bound=Section)


class Params(Section):
    """The whole of params.yaml.

    Attributes:
        models: a section per model, named as its module in `keras_repro.models`, which says what
            the section holds: `model` validates it.
        variants: likewise, of the models that stages/tutorial/dvc.yaml trains.

    """

    runtime: Runtime
    cluster: Scheduler | None = None
    workers: Workers | None = None
    download: Download
    reviews: Reviews
    storage: Storage
    prepare: Prepare
    segment: Segment
    tokenize: Tokenize
    compose: Compose
    ngrams: Ngrams
    evaluate: Evaluate
    baselines: Baselines
    models: dict[str, dict[str, Any]]
    variants: dict[str, dict[str, Any]]
    transfer: Transfer
    seq2seq: Seq2seq

    @property
    def classes(self) -> dict[str, frozenset[int]]:
        """The ratings that mean each class of reviews, by name, in the order of the labels."""
        two = {"negative": self.prepare.negative, "positive": self.prepare.positive}
        return self.reviews.class_ratings or two

    @property
    def baseline_names(self) -> list[str]:
        """What the baselines are called among all sentiment classifiers."""
        return [f"baseline_{name}" for name in Baselines.model_fields]

    def check_model(self, name: str) -> None:
        """See to it that `models` or `variants` has a section of this name.

        Raises:
            ReproError: neither has.

        """
        _named(name, self.models | self.variants, "models or variants")

    def model(self, name: str, kind: type[Given]) -> Given:
        """Return the section of a model.

        Args:
            name: of the model.
            kind: of the section: `Settings` of the model's module.

        Raises:
            ReproError: there is none, or a key of it is missing, unknown or mistyped.

        """
        self.check_model(name)
        place = "models" if name in self.models else "variants"
        content: dict[str, Any] = getattr(self, place)
        return validated_part(kind, {place: content}, (place, name), paths.PARAMS)

    def sequence_model(self, name: str) -> SequenceTraining:
        """Return the parameters of a model that `stages.tutorial.train_sequence` trains.

        Raises:
            ReproError: there is no model of that name.

        """
        known = {key: of for key, of in self.seq2seq if isinstance(of, SequenceTraining)}
        return _named(name, known, "seq2seq")


def load(path: Path = paths.PARAMS) -> Params:
    """Read and validate params.yaml, apart from the sections of the models.

    Raises:
        ReproError: the file is missing, is no YAML, or a key is missing, unknown or mistyped.

    """
    return validated(Params, path)


def _named(name: str, known: Mapping[str, Kind], sections: str) -> Kind:
    if name not in known:
        raise ReproError(
            f"{paths.PARAMS}: no model '{name}' under {sections}; "
            f"expected one of {', '.join(known)}"
        )
    return known[name]
