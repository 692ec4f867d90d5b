"""What equal bytes cost: the time of a training step with each setting over that with none.

`python -m benchmarks.reproducibility_cost [--rounds 3] [MODEL ...]` at the root of the repository,
after `dvc repro`. TensorFlow takes these settings once for a process, so each measurement is a
process of its own; the settings take turns, so that a busy neighbour slows all alike. As many steps
as are timed warm up before.
"""

import argparse
import os
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from keras_repro import models
from keras_repro.core import params, runtime
from keras_repro.reproducibility.exact.fingerprint import processor

SETTINGS = {
    "neither": {"deterministic": False, "portable": False},
    "deterministic": {"deterministic": True, "portable": False},
    "deterministic and portable": {"deterministic": True, "portable": True},
}


def main() -> None:
    """Measure and print one line per model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    known = params.load()
    single = [
        name for name in known.models if isinstance(models.settings(name, known), params.Training)
    ]
    parser.add_argument("models", nargs="*", metavar="MODEL", help=f"of {', '.join(single)}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=100, help="that are timed, a batch each")
    arguments = parser.parse_args()
    # As `choices` would, which in Python 3.11 refuses that no model is named.
    if unknown := sorted(set(arguments.models) - set(single)):
        parser.error(f"found {', '.join(unknown)}; expected of {', '.join(single)}")
    print(f"{processor()}, {len(os.sched_getaffinity(0))} cores; {arguments.rounds} rounds")
    print("Milliseconds per step, and times that without either (lowest to highest)")
    print(f"| model | {' | '.join(SETTINGS)} |")
    print(f"|---|{'--:|' * len(SETTINGS)}")
    for name in arguments.models or single:
        times: dict[str, list[float]] = {setting: [] for setting in SETTINGS}
        for number in range(1, arguments.rounds + 1):
            for setting in SETTINGS:
                print(f"{name}, {setting}: {number} of {arguments.rounds}", file=sys.stderr)
                times[setting].append(measured(name, setting, arguments.steps))
        print(f"| {name} | {' | '.join(cell(times[key], times['neither']) for key in SETTINGS)} |")
        sys.stdout.flush()


def cell(times: list[float], reference: list[float]) -> str:
    """Return the median time, and the ratios to the reference of the same round."""
    if times is reference:
        return f"{statistics.median(times):.1f}"
    ratios = sorted(time / other for time, other in zip(times, reference, strict=True))
    middle = statistics.median(ratios)
    return f"{statistics.median(times):.1f}, {middle:.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f})"


def measured(name: str, setting: str, steps: int) -> float:
    """Return the milliseconds of a training step, measured in a fresh process."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(train, name, setting, steps).result()


def train(name: str, setting: str, steps: int) -> float:
    """Train twice `steps` batches and return the milliseconds per step of the second time."""
    settings = params.load()
    runtime.configure(settings.runtime.model_copy(update=SETTINGS[setting]))

    import keras

    from keras_repro import inputs
    from keras_repro.training import trainer

    times: list[float] = []

    class Clock(keras.callbacks.Callback):
        def on_epoch_begin(self, *_: Any) -> None:
            times.append(time.perf_counter())

        def on_epoch_end(self, *_: Any) -> None:
            times[-1] = time.perf_counter() - times[-1]

    module, model_settings = models.module(name), models.settings(name, settings)
    splits = inputs.of(module.DATASET).training(model_settings, settings.runtime.seed)
    model = module.build(model_settings, splits.inputs)
    trainer.prepare(model, model_settings, len(splits.train))
    steps = min(steps, len(splits.train) // 2)
    model.fit(
        splits.train,
        epochs=2,
        steps_per_epoch=steps,
        shuffle=False,
        verbose=0,
        callbacks=[Clock()],
    )
    return times[1] * 1000 / steps


if __name__ == "__main__":
    runtime.run(main)
