"""Transfer learning: tasks, backbone, head."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, PositiveInt, model_validator

from keras_repro.core.params.section import Rate, Section, inside_project
from keras_repro.core.params.training import Training

Names = Annotated[tuple[str, ...], Field(min_length=2, strict=False)]
ImageShape = Annotated[tuple[PositiveInt, PositiveInt, PositiveInt], Field(strict=False)]


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(names)) < len(names):
        raise ValueError(f"expected each class once, found {', '.join(names)}")
    return names


def _weights(place: str) -> str:
    if place != "imagenet":
        inside_project(Path(place))
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
        if self.head.metrics != self.fine_tuning.metrics:
            found = " and ".join(", ".join(t.metrics) for t in (self.head, self.fine_tuning))
            raise ValueError(f"expected the same metrics for head and fine_tuning, found {found}")
        own = self.backbone == "cifar10_cnn"
        if self.weights and (Path(self.weights).suffix == ".keras") != own:
            expected = "the .keras file of a trained model" if own else "imagenet or a .h5 file"
            raise ValueError(
                f"expected {expected} or null as weights of {self.backbone}, found {self.weights!r}"
            )
        return self
