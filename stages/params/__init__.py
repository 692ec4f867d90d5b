"""params.yaml as validated, frozen objects: an unknown key or a wrong type is an error."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from stages import ReproError, paths
from stages.params.baselines import (
    Baselines,
    FasttextBaseline,
    SnownlpBaseline,
    TfidfBaseline,
)
from stages.params.general import Download, Evaluate, Runtime
from stages.params.models import (
    Bilstm,
    Cnn,
    Hybrid,
    ImageTraining,
    Mlp,
    Models,
    Reader,
    Variants,
    Wide,
)
from stages.params.reading import validated
from stages.params.reviews import (
    OWN_SOURCES,
    Ngrams,
    Prepare,
    Reviews,
    Segment,
    Splits,
    Storage,
    Tokenize,
)
from stages.params.section import Fraction, Section
from stages.params.seq2seq import (
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
from stages.params.training import (
    Callbacks,
    Loss,
    Metric,
    Optimizer,
    PerturbedTraining,
    ReduceLearningRate,
    TensorBoard,
    Training,
)
from stages.params.transfer import Head, Task, Transfer

__all__ = [
    "OWN_SOURCES",
    "Baselines",
    "Bilstm",
    "Callbacks",
    "Cnn",
    "Download",
    "EncoderDecoder",
    "Evaluate",
    "FasttextBaseline",
    "Fraction",
    "Head",
    "Hybrid",
    "ImageTraining",
    "Loss",
    "ManyToMany",
    "ManyToOne",
    "Metric",
    "Mlp",
    "Models",
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
    "Splits",
    "Storage",
    "Task",
    "TensorBoard",
    "TfidfBaseline",
    "Tokenize",
    "Training",
    "Transfer",
    "Variants",
    "Wide",
    "load",
    "validated",
]

Kind = TypeVar("Kind")


class Params(Section):
    """The whole of params.yaml."""

    runtime: Runtime
    download: Download
    reviews: Reviews
    storage: Storage
    prepare: Prepare
    segment: Segment
    tokenize: Tokenize
    ngrams: Ngrams
    evaluate: Evaluate
    baselines: Baselines
    models: Models
    variants: Variants
    transfer: Transfer
    seq2seq: Seq2seq

    @property
    def baseline_names(self) -> list[str]:
        """What the baselines are called among all that tell sentiment."""
        return [f"baseline_{name}" for name in Baselines.model_fields]

    @property
    def sentiment_models(self) -> list[str]:
        """The models that tell sentiment."""
        return Models.of_sentiment()

    def model(self, name: str) -> Training | Hybrid:
        """Return the parameters of a model that `stages.train` trains.

        Raises:
            ReproError: there is no model of that name.

        """
        known: dict[str, Training | Hybrid] = dict(self.models) | dict(self.variants)
        return _named(name, known, "models or variants")

    def sequence_model(self, name: str) -> SequenceTraining:
        """Return the parameters of a model that `stages.train_sequence` trains.

        Raises:
            ReproError: there is no model of that name.

        """
        known = {key: of for key, of in self.seq2seq if isinstance(of, SequenceTraining)}
        return _named(name, known, "seq2seq")


def load(path: Path = paths.PARAMS) -> Params:
    """Read and validate params.yaml.

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
