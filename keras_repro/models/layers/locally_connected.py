"""LocallyConnected1D and LocallyConnected2D, which Keras 3 dropped.

They look at the same windows of their input as Conv1D and Conv2D do, but each window has a kernel
and a bias of its own. What differs from Keras 2:

- Weights are drawn for each place as for one convolution. Keras 2 drew all places at once, took
  their number for a part of the fan-in, and began with weights too small by its square root.
- The kernel has one axis per dimension of the output: (*places, window, filters).
- `padding="same"` is offered, and `implementation` is not: there is one, and it is dense.
"""

import itertools
import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from keras_repro.models import KERAS_PACKAGE

Shape = tuple[int | None, ...]


class LocallyConnected(keras.Layer):
    """What the layers of one and two dimensions share; use those.

    Args:
        rank: the number of spatial dimensions.
        filters: the number of output channels.
        kernel_size: of the window; a number, or one per dimension.
        strides: from one window to the next; a number, or one per dimension.
        padding: "valid", or "same" to pad with zeros so that strides of 1 keep the size.
        data_format: "channels_last" or "channels_first"; None takes that of `keras.config`.
        activation: a name, a function, or None for the identity.
        use_bias: whether each place has a bias per filter.
        kernel_initializer: draws the kernel of each place, of shape (*kernel_size, channels,
            filters), on its own.
        bias_initializer: draws the biases of all places at once.
        kernel_regularizer: of all places' kernels together.
        bias_regularizer: of all places' biases together.
        activity_regularizer: of the output.
        kernel_constraint: is given the kernels as (*places, window * channels, filters).
        bias_constraint: is given the biases as (*places, filters).
        **kwargs: `name`, `dtype` and `trainable`, as every layer has them.

    Raises:
        ValueError: an argument is out of range, or the input's size is unknown or below the
            window's.

    """

    def __init__(  # noqa: PLR0913 - the arguments are those of Keras 2 and of Conv2D
        self,
        rank: int,
        filters: int,
        kernel_size: int | Sequence[int],
        *,
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        (self.filters,) = _positive("filters", filters, 1)
        self.kernel_size = _positive("kernel_size", kernel_size, rank)
        self.strides = _positive("strides", strides, rank)
        self.padding = _one_of("padding", padding, "valid", "same")
        self.data_format = _one_of(
            "data_format",
            data_format or keras.config.image_data_format(),
            "channels_last",
            "channels_first",
        )
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        self.input_spec = keras.InputSpec(ndim=rank + 2)

    def build(self, input_shape: Shape) -> None:
        """Create the weights; their number depends on the size of the input."""
        *size, channels = self._channels_last(input_shape)
        if None in size or channels is None:
            raise ValueError(
                f"{self.name}: expected an input of known size, since each place has weights of "
                f"its own, found {tuple(input_shape)}"
            )
        places = self._places(size)
        window = math.prod(self.kernel_size) * channels
        self.kernel = self.add_weight(
            name="kernel",
            shape=(*places, window, self.filters),
            initializer=_at_each_place(
                self.kernel_initializer, places, (*self.kernel_size, channels, self.filters)
            ),
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = None
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(*places, self.filters),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )
        self.input_spec = keras.InputSpec(shape=(None, *input_shape[1:]))

    def call(self, inputs: Any) -> Any:
        """Multiply the windows of each place, of all images at once, by the place's kernel."""
        # The batch comes before the channels: then the windows need no transposition, which would
        # move kernel_size times as many numbers.
        rank = len(self.kernel_size)
        spatial_first = self._spatial_first(rank)
        outputs = ops.matmul(self._windows(ops.transpose(inputs, spatial_first)), self.kernel)
        if self.bias is not None:
            outputs = ops.add(outputs, ops.expand_dims(self.bias, rank))
        inverse = sorted(range(rank + 2), key=spatial_first.__getitem__)
        return self.activation(ops.transpose(outputs, inverse))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        """Return the shape of the output for that of an input, the batch included."""
        *size, _ = self._channels_last(input_shape)
        places = self._places(size)
        if self.data_format == "channels_first":
            return (input_shape[0], self.filters, *places)
        return (input_shape[0], *places, self.filters)

    def get_config(self) -> dict[str, Any]:
        """Return the arguments, serialised."""
        return {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": keras.regularizers.serialize(self.activity_regularizer),
            "kernel_constraint": keras.constraints.serialize(self.kernel_constraint),
            "bias_constraint": keras.constraints.serialize(self.bias_constraint),
        }

    def _channels_last(self, input_shape: Shape) -> Shape:
        """Return the size and the channels of an input."""
        if self.data_format == "channels_first":
            return (*input_shape[2:], input_shape[1])
        return tuple(input_shape[1:])

    def _spatial_first(self, rank: int) -> tuple[int, ...]:
        """Return the axes of an input in the order size, batch, channels."""
        if self.data_format == "channels_first":
            return (*range(2, rank + 2), 0, 1)
        return (*range(1, rank + 1), 0, rank + 1)

    def _places(self, size: Sequence[int | None]) -> tuple[int, ...]:
        """Return how many windows fit along each dimension."""
        places = []
        for length, window, stride in zip(size, self.kernel_size, self.strides, strict=True):
            if length is None or (self.padding == "valid" and length < window):
                raise ValueError(
                    f"{self.name}: expected an input of at least the size {self.kernel_size}, "
                    f"found {tuple(size)}"
                )
            room = length if self.padding == "same" else length - window + 1
            places.append(math.ceil(room / stride))
        return tuple(places)

    def _windows(self, inputs: Any) -> Any:
        """Return inputs (*size, N, channels) as (*places, N, window * channels)."""
        rank = len(self.kernel_size)
        places = self._places(inputs.shape[:rank])
        if self.padding == "same":
            inputs = ops.pad(inputs, [*self._margins(inputs.shape[:rank]), (0, 0), (0, 0)])
        # From the first window's first element to the last window's: a slice without steps, whose
        # gradient is a padding. TensorFlow's gradient of one with steps takes seven times as long.
        span = [
            (count - 1) * stride + 1 for count, stride in zip(places, self.strides, strict=True)
        ]
        batch_and_channels = ops.shape(inputs)[rank:]
        shifted = []
        for offset in itertools.product(*map(range, self.kernel_size)):
            taken = ops.slice(inputs, (*offset, 0, 0), (*span, *batch_and_channels))
            if any(stride > 1 for stride in self.strides):
                taken = taken[tuple(slice(None, None, stride) for stride in self.strides)]
            shifted.append(taken)
        return ops.concatenate(shifted, axis=-1)

    def _margins(self, size: Sequence[int]) -> list[tuple[int, int]]:
        """Return the zeros before and after along each dimension, as TensorFlow places them."""
        margins = []
        for length, places, window, stride in zip(
            size, self._places(size), self.kernel_size, self.strides, strict=True
        ):
            total = max((places - 1) * stride + window - length, 0)
            margins.append((total // 2, total - total // 2))
        return margins


@keras.saving.register_keras_serializable(package=KERAS_PACKAGE)
class LocallyConnected1D(LocallyConnected):
    """Convolution over sequences (N, length, channels) that shares no weights between places."""

    def __init__(self, filters: int, kernel_size: int | Sequence[int], **kwargs: Any) -> None:
        super().__init__(1, filters, kernel_size, **kwargs)


@keras.saving.register_keras_serializable(package=KERAS_PACKAGE)
class LocallyConnected2D(LocallyConnected):
    """Convolution over images (N, height, width, channels) that shares no weights between places.

    >>> layer = LocallyConnected2D(64, 3, padding="same")
    >>> layer.compute_output_shape((None, 16, 16, 32))
    (None, 16, 16, 64)
    """

    def __init__(self, filters: int, kernel_size: int | Sequence[int], **kwargs: Any) -> None:
        super().__init__(2, filters, kernel_size, **kwargs)


def _at_each_place(
    initializer: Any, places: tuple[int, ...], kernel: tuple[int, ...]
) -> Callable[..., Any]:
    """Return an initializer that calls another one for the kernel of each place."""
    if isinstance(seed := getattr(initializer, "seed", None), int):
        # A Keras initializer with a fixed seed gives the same numbers at each call.
        initializer = initializer.clone()
        initializer.seed = keras.random.SeedGenerator(seed)

    def draw(shape: tuple[int, ...], dtype: str | None = None) -> Any:
        kernels = [initializer(kernel, dtype=dtype) for _ in range(math.prod(places))]
        return ops.reshape(ops.stack(kernels), shape)

    return draw


def _positive(name: str, value: int | Sequence[int], count: int) -> tuple[int, ...]:
    numbers = (value,) * count if isinstance(value, int) else tuple(value)
    if len(numbers) != count or not all(isinstance(n, int) and n > 0 for n in numbers):
        raise ValueError(f"{name}: expected {count} positive whole numbers, found {value!r}")
    return numbers


def _one_of(name: str, value: str, *known: str) -> str:
    if value not in known:
        raise ValueError(f"{name}: expected {' or '.join(known)}, found {value!r}")
    return value
