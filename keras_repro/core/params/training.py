"""How a model is trained: optimizer, loss, metrics, callbacks."""

from typing import Annotated, ClassVar, Final, Literal, Self

from pydantic import (
    AfterValidator,
    Field,
    NonNegativeFloat,
    NonNegativeInt,
    PositiveFloat,
    PositiveInt,
    model_validator,
)

from keras_repro.core.params.section import Fraction, Rate, Section

Monitor = Literal["val_loss", "val_accuracy"]


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
    """What watches over the training; null switches one off.

    Without `checkpoint` the last epoch becomes the model.
    """

    checkpoint: Checkpoint | None
    early_stopping: EarlyStopping | None
    reduce_learning_rate: ReduceLearningRate | None
    tensorboard: TensorBoard | None = None


class Training(Section):
    """What every model has.

    Attributes:
        loss: between probabilities and labels; the tutorial's cosine_proximity is
            cosine_similarity today.
        metrics: that the history has of each epoch.
        decay: of the learning rate: null keeps it until a callback reduces it; cosine lets it fall
            to 0 over all epochs, along half a period of a cosine (Loshchilov and Hutter, 2017).
        shards: of a batch, which several processes may share (docs/scaling.md); the result belongs
            to their number, and not to that of the processes.
        branches: of the network, which compute at the same time; no key of params.yaml.

    """

    branches: ClassVar[int] = 1

    optimizer: Optimizer
    decay: Literal["cosine"] | None = None
    loss: Loss = SPARSE
    metrics: Metrics = ("accuracy",)
    batch_size: PositiveInt
    epochs: PositiveInt
    shards: PositiveInt = 1
    callbacks: Callbacks

    @property
    def one_hot(self) -> bool:
        """Whether loss and metrics take one-hot labels and not the numbers of classes."""
        return self.loss != SPARSE

    @model_validator(mode="after")
    def _one_who_sets_the_rate(self) -> Self:
        if self.decay and self.callbacks.reduce_learning_rate:
            raise ValueError(
                f"expected reduce_learning_rate to be null where decay is {self.decay}, found both"
            )
        return self

    @model_validator(mode="after")
    def _shared(self) -> Self:
        if self.shards > self.batch_size:
            raise ValueError(
                f"expected shards to be at most batch_size ({self.batch_size}), found {self.shards}"
            )
        return self

    @model_validator(mode="after")
    def _comparable(self) -> Self:
        if "binary_accuracy" in self.metrics and not self.one_hot:
            raise ValueError(
                "expected a loss on one-hot labels, such as categorical_crossentropy, beside the "
                f"metric binary_accuracy, found {self.loss}"
            )
        return self


class PerturbedTraining(Training):
    """What models with a layer `embedding_dropout` have as well.

    Attributes:
        perturbation: how far the embedding of an item is moved to where its loss grows most, for a
            second look at it; null looks once.

    """

    perturbation: PositiveFloat | None = None
