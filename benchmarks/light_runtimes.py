"""ONNX Runtime beside LiteRT and Keras: which answers from a bundle.

`python -m benchmarks.light_runtimes` at the root of the repository, after `dvc repro`. Each model
is converted for both runtimes; all three then answer the same items in turn, one at a time and in
batches of 64, on one thread, for the same seconds each. A network that LiteRT can compute only
with TensorFlow's own operators is no use in a bundle and is not timed. The last column is how far
probabilities are from Keras' at most.
"""

import contextlib
import io
import os
import statistics
import time
from collections.abc import Callable

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from tqdm import tqdm

from keras_repro.core import params, paths, runtime
from keras_repro.reproducibility.exact.fingerprint import processor

SECONDS, ROUNDS = 0.5, 5
SIZES = (1, 64)
Answer = Callable[[np.ndarray], np.ndarray]


def main() -> None:
    """Print a line per model and runtime."""
    settings = params.load()
    runtime.configure(settings.runtime.model_copy(update={"threads": 1}))
    print(f"{processor()}, medians of {ROUNDS} rounds")
    print("| model | runtime | MB | ms for one | ms for 64 | difference |")
    print("|---|---|--:|--:|--:|--:|")
    for name in tqdm(params.load().models, desc="models"):
        measure(name)


def measure(name: str) -> None:
    """Print the lines of a model."""
    from keras_repro import inputs, models
    from keras_repro.bundles.bundle import NETWORK
    from keras_repro.bundles.network import Network, as_probabilities
    from keras_repro.reproducibility.exact import archive

    model = archive.load(paths.model(name))
    settings = params.load()
    kind, own = inputs.of(models.module(name).DATASET), models.settings(name, settings)
    batches = kind.split("test", own, settings.runtime.seed, max(SIZES)).batches
    items = batches[len(batches) // 2][0]
    expected = model.predict_on_batch(items)
    exported = paths.bundle(name) / NETWORK
    network = Network(exported, threads=1)
    answers: dict[str, Answer] = {
        "Keras": model.predict_on_batch,
        "ONNX Runtime": lambda x: as_probabilities(network.logits(x)),
    }
    sizes = {"Keras": paths.model(name).stat().st_size, "ONNX Runtime": exported.stat().st_size}
    try:
        answers["LiteRT"], sizes["LiteRT"] = litert(model)
    except Exception as error:  # noqa: BLE001 - whatever the converter cannot do
        tqdm.write(f"| `{name}` | LiteRT | {type(error).__name__} when it is converted | | | |")
    times: dict[tuple[str, int], list[float]] = {}
    for _ in range(ROUNDS):
        for runtime_name, answer in answers.items():
            for size in SIZES:
                times.setdefault((runtime_name, size), []).append(timed(answer, items[:size]))
    for runtime_name, answer in answers.items():
        cells = " | ".join(
            f"{statistics.median(times[runtime_name, size]) * 1000:.2f}" for size in SIZES
        )
        difference = np.abs(answer(items) - expected).max()
        megabytes = sizes[runtime_name] / 1e6
        tqdm.write(f"| `{name}` | {runtime_name} | {megabytes:.1f} | {cells} | {difference:.1g} |")


def litert(model: object) -> tuple[Answer, int]:
    """Return what answers with LiteRT, and the size of its file.

    Raises:
        Exception: the network has operators that LiteRT lacks.

    """
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
    with contextlib.redirect_stdout(io.StringIO()):  # the converter prints what it was given
        content = converter.convert()
    interpreter = tf.lite.Interpreter(model_content=content, num_threads=1)
    taken, given = interpreter.get_input_details()[0], interpreter.get_output_details()[0]

    def answer(items: np.ndarray) -> np.ndarray:
        interpreter.resize_tensor_input(taken["index"], items.shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(taken["index"], items)
        interpreter.invoke()
        found: np.ndarray = interpreter.get_tensor(given["index"])
        return found

    return answer, len(content)


def timed(answer: Answer, items: np.ndarray) -> float:
    """Return the seconds that an answer takes, warmed up."""
    answer(items)
    count, started = 0, time.perf_counter()
    while time.perf_counter() - started < SECONDS:
        answer(items)
        count += 1
    return (time.perf_counter() - started) / count


if __name__ == "__main__":
    runtime.run(main)
