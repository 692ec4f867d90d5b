"""What op determinism costs: the time of a training epoch with it over that without it.

`python -m benchmarks.determinism_cost [--rounds 3] [MODEL ...]` at the root of the repository,
after `dvc repro`. Op determinism is set once for a process, so each measurement is a process of its
own; the two settings take turns, so that a busy neighbour slows both alike. The first epoch warms
up, the second is timed.
"""

import argparse
import os
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from stages import params, runtime
from stages.reproducibility.fingerprint import processor


def main() -> None:
    """Measure and print one line per model."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("models", nargs="*", default=list(params.Models.model_fields))
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    print(f"{processor()}, {len(os.sched_getaffinity(0))} cores; {arguments.rounds} rounds")
    print("| model | deterministic, s per epoch | not | ratio (lowest to highest) |")
    print("|---|--:|--:|--:|")
    for name in arguments.models:
        pairs = []
        for done in range(arguments.rounds):
            print(f"{name}: round {done + 1} of {arguments.rounds}", file=sys.stderr)
            pairs.append([measured(name, deterministic=on) for on in (True, False)])
        with_it, without = (statistics.median(times) for times in zip(*pairs, strict=True))
        ratios = sorted(first / second for first, second in pairs)
        print(
            f"| {name} | {with_it:.2f} | {without:.2f} | "
            f"{statistics.median(ratios):.2f} ({ratios[0]:.2f} to {ratios[-1]:.2f}) |",
            flush=True,
        )


def measured(name: str, *, deterministic: bool) -> float:
    """Return the seconds of a training epoch, measured in a fresh process."""
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(train, name, deterministic=deterministic).result()


def train(name: str, *, deterministic: bool) -> float:
    """Train two epochs and return the seconds of the second."""
    settings = params.load()
    runtime.configure(settings.runtime.model_copy(update={"deterministic": deterministic}))

    import keras

    from stages import models
    from stages.training import data, trainer

    times: list[float] = []

    class Clock(keras.callbacks.Callback):
        def on_epoch_begin(self, *_: Any) -> None:
            times.append(time.perf_counter())

        def on_epoch_end(self, *_: Any) -> None:
            times[-1] = time.perf_counter() - times[-1]

    module, model_settings = models.module(name), settings.models.named(name)
    splits = data.load_training(module.DATASET, model_settings, settings.runtime.seed)
    model = module.build(model_settings, splits.inputs)
    trainer.prepare(model, model_settings)
    model.fit(splits.train, epochs=2, shuffle=False, verbose=0, callbacks=[Clock()])
    return times[1]


if __name__ == "__main__":
    runtime.run(main)
