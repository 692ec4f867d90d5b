"""params.yaml as validated, frozen objects: an unknown key or a wrong type is an error."""

import codecs
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Literal, Self, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    ValidationError,
    model_validator,
)
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from stages import ReproError, paths

Fraction = Annotated[float, Field(gt=0, lt=1)]
Rate = Annotated[float, Field(ge=0, lt=1)]
Rating = Annotated[int, Field(ge=0, le=5)]
Monitor = Literal["val_loss", "val_accuracy"]
Layers = Annotated[tuple[PositiveInt, ...], Field(min_length=1, strict=False)]
Ratings = Annotated[frozenset[Rating], Field(min_length=1, strict=False)]


def _inside_project(path: Path) -> Path:
    """DVC hashes what a path in params.yaml names, so it must not depend on the machine."""
    if path.is_absolute() or ".." in path.parts:
        raise ValueError(f"expected a path relative to the root of the repository, found {path}")
    return path


def _text_encoding(name: str) -> str:
    try:
        codec = codecs.lookup(name)
    except LookupError:
        codec = None
    # Python also has codecs such as rot13 and base64, which do not end in text.
    if name != "auto" and not (codec and codec._is_text_encoding):  # noqa: SLF001
        raise ValueError(f"expected auto or an encoding such as utf-8 or gb18030, found {name!r}")
    return name


def _scheduler_address(address: str) -> str:
    if not re.fullmatch(r"(tcp|tls|ws|wss)://[^/]+:\d+", address):
        raise ValueError(f"expected an address such as tcp://host:8786, found {address!r}")
    return address


def _directory_or_address(place: str) -> str:
    if re.fullmatch(r"[a-z0-9]+://[^/]+(/[^/]+)*", place):
        return place
    _inside_project(Path(place))
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


# YAML has strings where Python has paths and lists where it has tuples and sets.
ProjectPath = Annotated[Path, AfterValidator(_inside_project), Field(strict=False)]


# The sources that read `reviews.path`; all others stand in data/registry.yaml.
OWN_SOURCES = ("file", "segmented")

Corpora = Annotated[tuple[str, ...], BeforeValidator(_as_tuple), Field(min_length=1, strict=False)]
Column = Annotated[str | int, BeforeValidator(_column)]
Encoding = Annotated[str, AfterValidator(_text_encoding)]


class Section(BaseModel):
    """A mapping whose keys are all known and whose values never change."""

    # Strict: the string "3" is no number and the number 1 is no truth value.
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Runtime(Section):
    """Seeds, threads, op determinism and kernels of TensorFlow; where the text stages compute.

    `cluster` is the address of a Dask scheduler, or null for the cores of this machine. No result
    depends on it, so it is no parameter of any stage in dvc.yaml.
    """

    seed: NonNegativeInt
    threads: PositiveInt
    deterministic: bool
    portable: bool
    cluster: Annotated[str, AfterValidator(_scheduler_address)] | None = None


class Download(Section):
    """Patience with the sources of a dataset; times are in seconds."""

    attempts: PositiveInt
    answer_timeout: PositiveFloat
    time_limit: PositiveFloat

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.time_limit <= self.answer_timeout:
            raise ValueError(
                f"expected time_limit above answer_timeout ({self.answer_timeout:g}), "
                f"found {self.time_limit:g}"
            )
        return self


class Reviews(Section):
    """Which corpora of reviews are used, and how a file of one's own is read.

    Attributes:
        source: names of data/registry.yaml, `file` or `segmented`; several are merged in turn.
        path: of the file, or its address in an object store.
        text: the column of the text: its name, or its number counted from 1.
        rating: the column of the rating, if `label` is null.
        label: the column of a label with two values, if `rating` is null.
        rating_scale: the best rating; the worst is 0 or 1.
        encoding: of the file; `auto` tells UTF-8, UTF-16 and GB 18030 apart.
        max_bad_fraction: of all rows read, how many may be rejected.

    """

    source: Corpora
    path: str | None = None
    text: Column | None = None
    rating: Column | None = None
    label: Column | None = None
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
        if own == ["file"]:
            if self.text is None:
                raise ValueError("expected the name or number of the column with the text as text")
            if (self.rating is None) == (self.label is None):
                found = "both" if self.rating is not None else "neither"
                raise ValueError(f"expected a column as either rating or label, found {found}")
        return self


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


class Prepare(Section):
    """How ratings become labels and reviews go to splits."""

    unicode_form: Literal["NFC", "NFKC"] | None
    simplify: bool
    max_characters: PositiveInt
    negative: Ratings
    positive: Ratings
    splits: Splits

    @model_validator(mode="after")
    def _disjoint(self) -> Self:
        both = self.negative & self.positive
        if both:
            raise ValueError(f"expected each rating once, found {sorted(both)} in both lists")
        return self


class Segment(Section):
    """How reviews are cut into words."""

    engine: Literal["jieba", "rjieba"]
    hmm: bool
    stop_words: ProjectPath | None
    user_dict: ProjectPath | None


class Tokenize(Section):
    """Which words the vocabulary holds and how many of a review are kept."""

    max_length: PositiveInt
    min_count: PositiveInt
    num_words: PositiveInt | None


class Evaluate(Section):
    """How predictions are made and reported; no figure of a model depends on it."""

    batch_size: PositiveInt
    mistakes: NonNegativeInt


class Sgd(Section):
    """Stochastic gradient descent."""

    name: Literal["sgd"]
    learning_rate: PositiveFloat
    momentum: Rate = 0.0
    nesterov: bool = False


class RMSprop(Section):
    """RMSprop; the defaults are those of Keras 3."""

    name: Literal["rmsprop"]
    learning_rate: PositiveFloat
    rho: Rate = 0.9
    momentum: Rate = 0.0
    epsilon: PositiveFloat = 1e-7


class Adagrad(Section):
    """Adagrad; Keras 2 started its accumulators at 0, Keras 3 does at 0.1."""

    name: Literal["adagrad"]
    learning_rate: PositiveFloat
    initial_accumulator_value: NonNegativeFloat = 0.1
    epsilon: PositiveFloat = 1e-7


class Adadelta(Section):
    """Adadelta; the defaults are those of Keras 3."""

    name: Literal["adadelta"]
    learning_rate: PositiveFloat
    rho: Rate = 0.95
    epsilon: PositiveFloat = 1e-7


class Adam(Section):
    """Adam, or Nadam with Nesterov's momentum; the defaults are those of Keras 3."""

    name: Literal["adam", "nadam"]
    learning_rate: PositiveFloat
    beta_1: Rate = 0.9
    beta_2: Rate = 0.999
    epsilon: PositiveFloat = 1e-7


Optimizer = Annotated[
    Sgd | RMSprop | Adagrad | Adadelta | Adam,
    Field(discriminator="name"),
]


SPARSE: Final = "sparse_categorical_crossentropy"
Loss = Literal[
    "sparse_categorical_crossentropy",
    "categorical_crossentropy",
    "binary_crossentropy",
    "mean_squared_error",
    "mean_absolute_error",
    "cosine_similarity",
    "poisson",
]
Metric = Literal[
    "accuracy", "binary_accuracy", "categorical_accuracy", "top_k_categorical_accuracy"
]


def _with_accuracy(metrics: tuple[Metric, ...]) -> tuple[Metric, ...]:
    if metrics.count("accuracy") != 1 or len(set(metrics)) < len(metrics):
        found = ", ".join(metrics) or "none"
        raise ValueError(f"expected accuracy among them and each metric once, found {found}")
    return metrics


Metrics = Annotated[tuple[Metric, ...], AfterValidator(_with_accuracy), Field(strict=False)]


class Checkpoint(Section):
    """The epoch with the best value of `monitor` becomes the model."""

    monitor: Monitor


class EarlyStopping(Section):
    """Training ends after `patience` epochs in which `monitor` got no better by `min_delta`."""

    monitor: Monitor
    patience: PositiveInt
    min_delta: NonNegativeFloat = 0.0


class ReduceLearningRate(Section):
    """The learning rate is multiplied by `factor` after `patience` epochs without progress.

    The `cooldown` epochs that follow do not count towards `patience`.
    """

    monitor: Monitor
    factor: Fraction
    patience: PositiveInt
    min_delta: NonNegativeFloat = 0.0001
    cooldown: NonNegativeInt = 0
    min_learning_rate: NonNegativeFloat = 0.0


class TensorBoard(Section):
    """What is logged for TensorBoard; no result depends on it.

    Attributes:
        histogram_freq: epochs from one histogram of the weights to the next; 0 draws none.
        write_graph: whether the network is drawn.
        write_images: whether the weights are drawn as images beside their histograms.

    """

    histogram_freq: NonNegativeInt = 0
    write_graph: bool = True
    write_images: bool = False

    @model_validator(mode="after")
    def _drawn(self) -> Self:
        if self.write_images and not self.histogram_freq:
            raise ValueError("expected histogram_freq above 0 where write_images is true, found 0")
        return self


class Callbacks(Section):
    """What watches over the training; null switches one off."""

    checkpoint: Checkpoint
    early_stopping: EarlyStopping | None
    reduce_learning_rate: ReduceLearningRate | None
    tensorboard: TensorBoard | None = None


class Training(Section):
    """What every model has.

    Attributes:
        loss: between probabilities and labels; the tutorial's cosine_proximity is
            cosine_similarity today.
        metrics: that the history has of each epoch.

    """

    optimizer: Optimizer
    loss: Loss = SPARSE
    metrics: Metrics = ("accuracy",)
    batch_size: PositiveInt
    epochs: PositiveInt
    callbacks: Callbacks

    @property
    def one_hot(self) -> bool:
        """Whether loss and metrics take one-hot labels and not the numbers of classes."""
        return self.loss != SPARSE

    @model_validator(mode="after")
    def _comparable(self) -> Self:
        if "binary_accuracy" in self.metrics and not self.one_hot:
            raise ValueError(
                "expected a loss on one-hot labels, such as categorical_crossentropy, beside the "
                f"metric binary_accuracy, found {self.loss}"
            )
        return self


class ImageTraining(Training):
    """The validation split is taken from the training images, which come without one."""

    validation_fraction: Fraction


class Mlp(ImageTraining):
    """A multi-layer perceptron with one hidden layer per number of units."""

    units: Layers


class Cnn(ImageTraining):
    """Convolution, pooling and dropout, once per number of filters, then a dense layer."""

    filters: Layers
    kernel_size: PositiveInt
    pool_size: PositiveInt
    block_dropout: Rate
    units: PositiveInt
    dropout: Rate


class Bilstm(Training):
    """An embedding, a bidirectional LSTM of `units` in each direction, a dense layer."""

    embedding: PositiveInt
    units: PositiveInt
    embedding_dropout: Rate
    dropout: Rate


class Models(Section):
    """One section per model, named as its module in stages/models/."""

    mnist_sequential: Mlp
    mnist_functional: Mlp
    cifar10_cnn: Cnn
    sentiment_bilstm: Bilstm


class Variants(Section):
    """Further models, named likewise, which tutorial/dvc.yaml trains."""

    cifar10_local: Cnn


Names = Annotated[tuple[str, ...], Field(min_length=2, strict=False)]
ImageShape = Annotated[tuple[PositiveInt, PositiveInt, PositiveInt], Field(strict=False)]


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise ValueError(f"expected each class once, found {', '.join(names)}")
    return names


def _weights(place: str) -> str:
    if place != "imagenet":
        _inside_project(Path(place))
        if Path(place).suffix not in (".h5", ".keras"):
            raise ValueError(
                "expected imagenet, null or the path of a .h5 file (of a .keras file for "
                f"cifar10_cnn), found {place!r}"
            )
    return place


class Task(Section):
    """Which classes of CIFAR-10 are told apart, and from how many images of each.

    Attributes:
        classes: their names.
        images_per_class: to train on; null takes all that do not validate.
        validation_per_class: those that choose the epoch; never trained on.

    """

    classes: Annotated[Names, AfterValidator(_distinct)]
    images_per_class: PositiveInt | None
    validation_per_class: PositiveInt


class SourceTask(Task, Training):
    """The task from which `models.cifar10_cnn` learns what is then transferred."""


class Head(Training):
    """What stands on the features: a dense layer of `units`, if not null, dropout, the classes."""

    units: PositiveInt | None
    dropout: Rate


class Transfer(Task):
    """A network that has learned one task serves another, which has few images.

    Attributes:
        backbone: the network without its classifier.
        weights: `imagenet`, null for random ones, or a file of the project: for cifar10_cnn the
            trained model, for the others what `save_weights` or Keras' own files hold.
        include_top: whether the network keeps its classifier. It cannot: its classes are others.
        input_shape: height, width, channels that the backbone sees; images are resized to it.
        pooling: of its last feature maps; null keeps them and flattens.
        trainable_from: the first layer that is fine-tuned once the head is trained; null freezes
            the whole backbone.
        head: that is trained on the frozen backbone's features.
        fine_tuning: of the layers from `trainable_from` on, together with the head.
        scratch: the training of the same network from random weights on the same images.
        source: the task on which the default backbone is trained.

    """

    backbone: Literal["cifar10_cnn", "vgg16", "vgg19", "resnet50", "inception_v3", "xception"]
    weights: Annotated[str, AfterValidator(_weights)] | None
    include_top: Literal[False]
    input_shape: ImageShape
    pooling: Literal["avg", "max"] | None
    trainable_from: str | None
    head: Head
    fine_tuning: Training
    scratch: Training
    source: SourceTask

    @model_validator(mode="after")
    def _possible(self) -> Self:
        both = [name for name in self.classes if name in self.source.classes]
        if both:
            raise ValueError(f"expected other classes than the source's, found {', '.join(both)}")
        own = self.backbone == "cifar10_cnn"
        if self.weights and (Path(self.weights).suffix == ".keras") != own:
            expected = "the .keras file of a trained model" if own else "imagenet or a .h5 file"
            raise ValueError(
                f"expected {expected} or null as weights of {self.backbone}, found {self.weights!r}"
            )
        return self


class SequenceData(Section):
    """What the sequence models learn from and what is held out.

    Attributes:
        test_fraction: of the lines of People's Daily, the last; of the words with readings, those
            that a hash of the word picks.
        validation_fraction: of what is left, likewise.
        min_count: characters, and pairs of them, seen less often in training are unknown.
        review_length: characters kept of a review.

    """

    test_fraction: Fraction
    validation_fraction: Fraction
    min_count: PositiveInt
    review_length: PositiveInt


class SequenceTraining(Training):
    """What every sequence model has.

    Attributes:
        samples: how many sequences an epoch draws at most; None takes all.

    """

    loss: Literal["sparse_categorical_crossentropy"] = "sparse_categorical_crossentropy"
    samples: PositiveInt | None
    embedding: PositiveInt
    dropout: Rate


class OneToOne(SequenceTraining):
    """An embedding and a dense layer."""

    context: ClassVar[int] = 1


class ManyToOne(SequenceTraining):
    """An LSTM over the `context` characters before."""

    context: PositiveInt
    units: PositiveInt


class OneToMany(SequenceTraining):
    """An LSTM that adds one character after the other to what a label began.

    Attributes:
        units: of the LSTM.
        reviews: how many are generated to be judged.
        temperature: divides the logits before one is drawn; 1 draws from the model's own
            distribution, less prefers the likely.

    """

    units: PositiveInt
    reviews: PositiveInt
    temperature: PositiveFloat


class ManyToMany(SequenceTraining):
    """Bidirectional LSTMs, one on the other, each with its number of units per direction."""

    pair_embedding: PositiveInt
    units: Layers


class EncoderDecoder(SequenceTraining):
    """A bidirectional LSTM reads, an LSTM of twice the units writes and attends to what was read.

    Attributes:
        units: of each direction of the encoder.
        max_length: tokens that are written at most.

    """

    units: PositiveInt
    max_length: PositiveInt


class Seq2seq(Section):
    """The sequence models, one section per model, named as its module in stages/models/."""

    data: SequenceData
    seq2seq_one_to_one: OneToOne
    seq2seq_many_to_one: ManyToOne
    seq2seq_one_to_many: OneToMany
    seq2seq_many_to_many: ManyToMany
    seq2seq_encoder_decoder: EncoderDecoder

    def model(self, name: str) -> SequenceTraining:
        """Return the parameters of one model.

        Raises:
            ReproError: there is no model of that name.

        """
        known = [key for key in Seq2seq.model_fields if key != "data"]
        if name not in known:
            raise ReproError(
                f"{paths.PARAMS}: no model '{name}' under seq2seq; "
                f"expected one of {', '.join(known)}"
            )
        settings: SequenceTraining = getattr(self, name)
        return settings


class Params(Section):
    """The whole of params.yaml."""

    runtime: Runtime
    download: Download
    reviews: Reviews
    storage: Storage
    prepare: Prepare
    segment: Segment
    tokenize: Tokenize
    evaluate: Evaluate
    models: Models
    variants: Variants
    transfer: Transfer
    seq2seq: Seq2seq

    def model(self, name: str) -> Training:
        """Return the parameters of one model.

        Raises:
            ReproError: there is no model of that name.

        """
        for section in (self.models, self.variants):
            if name in type(section).model_fields:
                settings: Training = getattr(section, name)
                return settings
        known = [*Models.model_fields, *Variants.model_fields]
        raise ReproError(
            f"{paths.PARAMS}: no model '{name}' under models or variants; "
            f"expected one of {', '.join(known)}"
        )


Validated = TypeVar("Validated", bound=BaseModel)


def load(path: Path = paths.PARAMS) -> Params:
    """Read and validate params.yaml.

    Raises:
        ReproError: the file is missing, is no YAML, or a key is missing, unknown or mistyped.

    """
    return validated(Params, path)


def validated(model: type[Validated], path: Path) -> Validated:
    """Read a YAML file as an object of a pydantic model, with every fault in one message."""
    try:
        # DVC reads and writes YAML 1.2 with this very library, to which 1e-6 is a number.
        content = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ReproError(f"{path}: not found; expected it in {Path.cwd()}") from None
    except (YAMLError, UnicodeDecodeError) as error:
        raise ReproError(f"{path}: no valid YAML: {error}") from None
    try:
        return model.model_validate(content)
    except ValidationError as error:
        faults = [_fault(path, content, fault) for fault in error.errors()]
        raise ReproError("\n".join(faults)) from None


def _fault(path: Path, content: Any, fault: Any) -> str:  # noqa: PLR0911 - one per kind of fault
    """Say in one line which key is at fault, what was found and what was expected."""
    key = ".".join(_keys(content, fault["loc"])) or "(top level)"
    match fault["type"]:
        case "missing":
            return f"{path}: {key} is missing"
        case "extra_forbidden":
            return f"{path}: {key} is no known key (found {fault['input']!r})"
        case "value_error":
            return f"{path}: {key}: {fault['ctx']['error']}"
        case "union_tag_invalid":
            tag = fault["ctx"]["discriminator"].strip("'")
            expected = f"one of {fault['ctx']['expected_tags']}"
            return f"{path}: {key}.{tag} is {fault['ctx']['tag']!r}; expected {expected}"
        case "union_tag_not_found":
            return f"{path}: {key}.{fault['ctx']['discriminator'].strip(chr(39))} is missing"
        case "too_short":
            return f"{path}: {key} is {fault['input']!r}; expected at least one item"
        case _:
            expected = fault["msg"].removeprefix("Input should be ")
            return f"{path}: {key} is {fault['input']!r}; expected {expected}"


def _keys(content: Any, location: tuple[int | str, ...]) -> Iterator[str]:
    """Yield the keys of a location, without the names that pydantic gives to a union's members."""
    for position, part in enumerate(location):
        last = position == len(location) - 1
        if isinstance(content, dict) and part not in content and not last:
            continue
        yield str(part)
        if isinstance(content, dict):
            content = content.get(part)
        elif isinstance(content, list) and isinstance(part, int) and part < len(content):
            content = content[part]
