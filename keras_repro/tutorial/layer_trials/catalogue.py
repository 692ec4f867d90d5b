"""Every layer, activation, initializer, regularizer and constraint that the tutorial names.

Shapes are small on purpose: a trial shows that a layer computes, learns and survives saving, not
how fast it is.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import keras
from keras import layers, regularizers

from keras_repro.models import KERAS_PACKAGE
from keras_repro.models.layers.locally_connected import LocallyConnected1D, LocallyConnected2D
from keras_repro.models.layers.thresholded_relu import ThresholdedReLU

VECTOR = (6,)
SEQUENCE = (5, 3)  # time steps, features
IMAGE = (8, 8, 3)

# Token ids below this number are tried on embeddings.
VOCABULARY = 10


class Call:
    """A call of a class, kept so that it can be both shown and made.

    >>> print(Call(layers.TimeDistributed, Call(layers.Dense, 4, activation="relu")))
    TimeDistributed(Dense(4, activation='relu'))
    """

    def __init__(self, function: Callable[..., Any], *arguments: Any, **named: Any) -> None:
        self._function = function
        self._arguments = arguments
        self._named = named

    def make(self) -> Any:
        """Call the class, after the calls among its arguments."""
        return self._function(
            *map(_made, self._arguments),
            **{name: _made(value) for name, value in self._named.items()},
        )

    def __str__(self) -> str:
        shown = [_shown(value) for value in self._arguments]
        shown += [f"{name}={_shown(value)}" for name, value in self._named.items()]
        return f"{self._function.__name__}({', '.join(shown)})"


class Case(NamedTuple):
    """One line of a table.

    Attributes:
        name: as the tutorial has it, and what sets this line apart from others of the same layer.
        call: makes the layer.
        shape: of one input, without the batch.
        note: what Keras 3 changed.
        dtype: of the input.

    """

    name: str
    call: Call
    shape: tuple[int, ...]
    note: str = ""
    dtype: str = "float32"


class Table(NamedTuple):
    """The cases of one table of the tutorial; `parts` says where that stands."""

    name: str
    title: str
    parts: str
    cases: tuple[Case, ...]


@keras.saving.register_keras_serializable(package=KERAS_PACKAGE)  # type: ignore[untyped-decorator] # Keras'
def scaled(inputs: Any, factor: float) -> Any:
    """Return `inputs` times `factor`; a function for Lambda that an archive can name."""
    return inputs * factor


def tables() -> list[Table]:
    """Return the tables in the tutorial's order."""
    return [
        Table("basic", "Basic layers 基础常用层", "2.2", _BASIC),
        Table("convolution", "Convolution layers 卷积层", "2.3 and 5.2.1", _CONVOLUTION),
        Table("pooling", "Pooling layers 池化层", "2.4 and 5.2.2", _POOLING),
        Table("recurrent", "Recurrent layers 循环层", "2.5, 6.2.1 and 6.2.3", _RECURRENT),
        Table("embedding", "Embedding layer 嵌入层", "2.6", _EMBEDDING),
        Table("locally_connected", "Locally connected layers 局部连接层", "2.7", _LOCAL),
        Table("normalisation", "Normalisation layer 归一化层", "2.8", _NORMALISATION),
        Table("noise", "Noise layers 噪声层", "2.9", _NOISE),
        Table("advanced_activations", "Advanced activations 高级激活层", "2.10", _ADVANCED),
        Table("wrappers", "Wrappers 包装器", "2.11 and 6.2.2", _WRAPPERS),
        Table("activations", "Activations 激活函数", "2.2, PS2", _activations()),
        Table("initializers", "Initializers 初始化器", "2.2, PS2", _initializers()),
        Table("regularizers", "Regularizers 正则化器", "2.2, PS2", _REGULARIZERS),
        Table("constraints", "Constraints 约束", "2.2, PS1", _CONSTRAINTS),
    ]


def _made(value: Any) -> Any:
    return value.make() if isinstance(value, Call) else value


def _shown(value: Any) -> str:
    if isinstance(value, Call):
        return str(value)
    return value.__name__ if callable(value) else repr(value)


_BASIC = (
    Case("Dense", Call(layers.Dense, 4, activation="relu"), VECTOR),
    Case(
        "Dense, every argument",
        Call(
            layers.Dense,
            4,
            activation="tanh",
            use_bias=True,
            kernel_initializer="glorot_uniform",
            bias_initializer="zeros",
            kernel_regularizer="l2",
            bias_regularizer="l1",
            activity_regularizer="L1L2",
            kernel_constraint="max_norm",
            bias_constraint="non_neg",
        ),
        VECTOR,
        "`kernel_constraints` and `bias_constraints` are written without the s",
    ),
    Case("Activation", Call(layers.Activation, "relu"), VECTOR),
    Case("Dropout", Call(layers.Dropout, 0.5), VECTOR),
    Case("Flatten", Call(layers.Flatten), SEQUENCE),
    Case("Reshape", Call(layers.Reshape, (3, 5)), SEQUENCE),
    Case("Permute", Call(layers.Permute, (2, 1)), SEQUENCE, "dimensions count from 1"),
    Case("RepeatVector", Call(layers.RepeatVector, 3), VECTOR),
    Case(
        "Lambda",
        Call(layers.Lambda, scaled, arguments={"factor": 2.0}),
        VECTOR,
        "a Python lambda is saved as bytecode, which loading refuses (`safe_mode`); a function "
        "registered with `keras.saving.register_keras_serializable` is saved by its name",
    ),
    Case("Masking", Call(layers.Masking, mask_value=0.0), SEQUENCE),
)

_CONVOLUTION = (
    Case("Conv1D", Call(layers.Conv1D, 4, 3, strides=1, padding="valid"), SEQUENCE),
    Case("Conv2D", Call(layers.Conv2D, 4, (3, 3), strides=(1, 1), padding="valid"), IMAGE),
    Case("Conv2D, padded", Call(layers.Conv2D, 4, 3, strides=2, padding="same"), IMAGE),
    Case("Conv2D, dilated", Call(layers.Conv2D, 4, 3, dilation_rate=(2, 2)), IMAGE),
    Case("UpSampling1D", Call(layers.UpSampling1D, 2), SEQUENCE),
    Case("UpSampling2D", Call(layers.UpSampling2D, (2, 2)), IMAGE),
    Case("ZeroPadding2D", Call(layers.ZeroPadding2D, (1, 1)), IMAGE),
)

_POOLING = (
    Case("MaxPooling1D", Call(layers.MaxPooling1D, 2, strides=None, padding="valid"), SEQUENCE),
    Case("AveragePooling1D", Call(layers.AveragePooling1D, 2), SEQUENCE),
    Case(
        "MaxPooling2D",
        Call(layers.MaxPooling2D, (2, 2), strides=None, padding="valid", data_format=None),
        IMAGE,
        "the tutorial has it the wrong way round: `same` pads with what cannot win, `valid` not",
    ),
    Case("AveragePooling2D", Call(layers.AveragePooling2D, (2, 2)), IMAGE),
    Case("GlobalMaxPooling1D", Call(layers.GlobalMaxPooling1D), SEQUENCE),
    Case("GlobalAveragePooling1D", Call(layers.GlobalAveragePooling1D), SEQUENCE),
    Case("GlobalMaxPooling2D", Call(layers.GlobalMaxPooling2D), IMAGE),
    Case("GlobalAveragePooling2D", Call(layers.GlobalAveragePooling2D), IMAGE),
)

_GATES = (
    "`recurrent_activation` is `sigmoid` by default, was `hard_sigmoid`; `implementation` is still "
    "taken, and no longer documented"
)
_RECURRENT = (
    Case("SimpleRNN", Call(layers.SimpleRNN, 4), SEQUENCE),
    Case("GRU", Call(layers.GRU, 4), SEQUENCE, f"{_GATES}; `reset_after` adds a second bias"),
    Case(
        "GRU as in Keras 2",
        Call(layers.GRU, 4, recurrent_activation="hard_sigmoid", reset_after=False),
        SEQUENCE,
        "see `hard_sigmoid` below",
    ),
    Case("LSTM", Call(layers.LSTM, 4), SEQUENCE, _GATES),
    Case(
        "LSTM, dropout",
        Call(layers.LSTM, 4, unit_forget_bias=True, dropout=0.2, recurrent_dropout=0.2),
        SEQUENCE,
    ),
    Case("LSTM, sequences", Call(layers.LSTM, 4, return_sequences=True), SEQUENCE),
    Case(
        "LSTM, backwards",
        Call(layers.LSTM, 4, return_sequences=True, go_backwards=True),
        SEQUENCE,
        "the output stays reversed; `Bidirectional` turns it round again",
    ),
)

_EMBEDDING = (
    Case(
        "Embedding",
        Call(layers.Embedding, VOCABULARY, 4),
        (5,),
        "`input_length` does nothing: the shape of the input says it, before Flatten and Dense too",
        "int32",
    ),
    Case(
        "Embedding, masked",
        Call(layers.Embedding, VOCABULARY, 4, embeddings_regularizer="l2", mask_zero=True),
        (5,),
        dtype="int32",
    ),
)

_LOCAL_NOTE = (
    "dropped by Keras 3; `keras_repro.models.layers`, which takes `padding='same'` "
    "too and has no `implementation`"
)
_LOCAL = (
    Case("LocallyConnected1D", Call(LocallyConnected1D, 4, 3), SEQUENCE, _LOCAL_NOTE),
    Case(
        "LocallyConnected2D",
        Call(LocallyConnected2D, 4, (3, 3), strides=(1, 1), padding="valid"),
        IMAGE,
        _LOCAL_NOTE,
    ),
    Case(
        "LocallyConnected2D, padded",
        Call(LocallyConnected2D, 4, 3, strides=2, padding="same", activation="relu"),
        IMAGE,
    ),
)

_NORMALISATION = (
    Case(
        "BatchNormalization",
        Call(layers.BatchNormalization, axis=-1, momentum=0.99, epsilon=0.001),
        IMAGE,
        "two of the four weights per channel are moving averages, which no gradient changes",
    ),
)

_NOISE = (
    Case("GaussianNoise", Call(layers.GaussianNoise, 0.1), VECTOR),
    Case("GaussianDropout", Call(layers.GaussianDropout, 0.5), VECTOR),
)

_ADVANCED = (
    Case(
        "LeakyReLU",
        Call(layers.LeakyReLU, negative_slope=0.3),
        VECTOR,
        "`alpha` is called `negative_slope`; the old name works, with a warning",
    ),
    Case("PReLU", Call(layers.PReLU), VECTOR),
    Case("ELU", Call(layers.ELU, alpha=1.0), VECTOR),
    Case(
        "ThresholdedReLU",
        Call(ThresholdedReLU, theta=0.5),
        VECTOR,
        "dropped by Keras 3, which has the activation `threshold`; "
        "`keras_repro/models/layers/thresholded_relu.py`",
    ),
)

_WRAPPERS = (
    Case("TimeDistributed", Call(layers.TimeDistributed, Call(layers.Dense, 4)), SEQUENCE),
    *(
        Case(
            f"Bidirectional, {merge_mode}",
            Call(layers.Bidirectional, Call(layers.LSTM, 4), merge_mode=merge_mode),
            SEQUENCE,
            note,
        )
        for merge_mode, note in (
            ("concat", "the argument `weights` is for loading old models"),
            ("sum", ""),
            ("mul", ""),
            ("ave", ""),
            (None, "two outputs, forwards and backwards"),
        )
    ),
)


def _activations() -> tuple[Case, ...]:
    notes = {
        "hard_sigmoid": "x / 6 + 1 / 2 between -3 and 3; Keras 2 had x / 5 + 1 / 2 to ±2.5",
    }
    names = ("softmax", "elu", "softplus", "softsign", "relu", "tanh", "sigmoid", "hard_sigmoid")
    return tuple(
        Case(name, Call(layers.Activation, name), VECTOR, notes.get(name, ""))
        for name in (*names, "linear")
    )


def _initializers() -> tuple[Case, ...]:
    initializers: dict[str, Any] = {
        "Zeros": "zeros",
        "Ones": "ones",
        "Constant": Call(keras.initializers.Constant, 0.5),
        "RandomNormal": "random_normal",
        "RandomUniform": "random_uniform",
        "TruncatedNormal": "truncated_normal",
        "Orthogonal": "orthogonal",
        "Identity": "identity",
        "glorot_normal": "glorot_normal",
        "glorot_uniform": "glorot_uniform",
        "he_normal": "he_normal",
        "he_uniform": "he_uniform",
    }
    notes = {
        "TruncatedNormal": "the tutorial's 无尾: without the tails beyond two deviations",
        "glorot_normal": "`seed` of any initializer: without one, `keras.utils.set_random_seed`",
    }
    return tuple(
        Case(name, Call(layers.Dense, 4, kernel_initializer=value), VECTOR, notes.get(name, ""))
        for name, value in initializers.items()
    )


_REGULARIZERS = (
    Case("l1", Call(layers.Dense, 4, kernel_regularizer=Call(regularizers.L1, 0.01)), VECTOR),
    Case("l2", Call(layers.Dense, 4, kernel_regularizer=Call(regularizers.L2, 0.01)), VECTOR),
    Case(
        "l1_l2",
        Call(layers.Dense, 4, kernel_regularizer=Call(regularizers.L1L2, l1=0.01, l2=0.01)),
        VECTOR,
        "the name is `L1L2`: as a string, `l1_l2` is no longer known",
    ),
)

_CONSTRAINTS = tuple(
    Case(name, Call(layers.Dense, 4, kernel_constraint=name), VECTOR, note)
    for name, note in (
        ("max_norm", "the tutorial names no constraints; these are those of Keras"),
        ("non_neg", ""),
        ("unit_norm", ""),
        ("min_max_norm", ""),
    )
)
