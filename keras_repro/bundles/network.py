"""A network of a bundle, computed by ONNX Runtime."""

import os
from pathlib import Path

import numpy as np

from keras_repro.core.errors import ReproError

# Or it keeps a number of this machine in the user's cache, leaves a file in the temporary folder
# and within 25 s looks for mobile.events.data.microsoft.com.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime


class Network:
    """Returns logits.

    Args:
        path: of the ONNX file.
        threads: that compute one batch; None: as many as there are cores.

    Raises:
        ReproError: the file is no network that ONNX Runtime can read.

    """

    def __init__(self, path: Path, threads: int | None = None) -> None:
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3  # errors
        if threads:
            options.intra_op_num_threads = threads
        # Threads that wait by spinning would take the cores from those that read the next batch.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            self._session = onnxruntime.InferenceSession(
                path, options, providers=["CPUExecutionProvider"]
            )
        except Exception as error:  # noqa: BLE001 - each kind of damage has a class of its own
            raise ReproError(f"{path}: ONNX Runtime cannot read it ({error})") from None
        (taken,) = self._session.get_inputs()
        self._input = taken.name

    def logits(self, items: np.ndarray) -> np.ndarray:
        """Return the logits of a batch, float64 of shape (N, classes)."""
        (found,) = self._session.run(None, {self._input: items})
        logits: np.ndarray = found.astype(np.float64)
        return logits


def as_probabilities(logits: np.ndarray) -> np.ndarray:
    """Return the softmax of float64 logits of shape (N, classes)."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities: np.ndarray = powers / powers.sum(axis=1, keepdims=True)
    return probabilities
