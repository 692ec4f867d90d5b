"""The models that classify images and reviews."""

from pydantic import PositiveInt

from stages.params.section import Fraction, Layers, Rate, Section
from stages.params.training import Training


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
