"""How fast the sentiment models learn, beside the tutorial's way of training, on the same corpus.

`python -m benchmarks.train_speed [--runs 3]` at the root of the repository, after
`dvc repro tokenize ngrams`. In each run, with a seed of its own, four trainings follow each other,
each a process of its own with the threads of params.yaml, divided as `stages.train` does:

- tutorial: its network (embedding 256, bidirectional LSTM 128, dropout 0.5) and its way: Keras'
  tokenizer over all splits, every review padded to 100, batches of 1000, RMSprop, 10 epochs. Its
  head is a softmax, since its relu head may learn nothing at all (docs/experiments.md).
- bilstm: `sentiment_bilstm`, the same layers, on batches of similar length, with its optimizer,
  batch size and epochs.
- bilstm_1000: the same in the tutorial's batches of 1000, to tell what padding costs from what the
  size of a batch does.
- hybrid: `sentiment_hybrid`, likewise: wide with the rate of params.yaml, then one reader for the
  epochs there; F1 is that of the mean of what is trained so far.

Rates that fall as validation says stay as they begin; all epochs are trained. The clock runs while
batches are made and trained, compiling included; not while words and characters become numbers,
TensorFlow is imported or F1 is measured on the validation split, five times an epoch. Reviews per
second are the median of whole epochs after the first, which compiles; of hybrid, those of its
reader.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from tqdm import tqdm

from benchmarks.text_scale import peak_memory
from keras_repro import baselines, inputs, models
from keras_repro.core import params, runtime
from keras_repro.evaluation import uncertainty
from keras_repro.inputs.batches import Batches
from keras_repro.reproducibility.exact.fingerprint import processor
from keras_repro.text import ragged
from keras_repro.training import trainer

Told = tuple[list[tuple[float, float]], list[float]]

CHECKS_PER_EPOCH = 5
LENGTH, BATCH, EPOCHS = 100, 1000, 10  # the tutorial's
WAYS = ("tutorial", "bilstm", "bilstm_1000", "hybrid")


class Learned(NamedTuple):
    """What a training tells.

    Attributes:
        points: after how many seconds of training which F1 was had on the validation split.
        speeds: reviews per second of each whole epoch.
        peak: of the process' memory, in MB.

    """

    points: list[tuple[float, float]]
    speeds: list[float]
    peak: float

    def seconds_to(self, f1: float) -> float:
        """Return when an F1 was reached first, infinity if never."""
        return next((seconds for seconds, found in self.points if found >= f1), float("inf"))


def main() -> None:
    """Run the trainings, or one of them for its parent process."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--way", choices=WAYS, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way:
        print(json.dumps(learn(arguments.way, arguments.seed)))
        return
    seeds = tqdm(range(1, arguments.runs + 1), desc="runs")
    rounds = [{way: started(way, seed) for way in WAYS} for seed in seeds]
    report(rounds)


def started(way: str, seed: int) -> Learned:
    """Return what a training in a process of its own tells."""
    command = [sys.executable, "-m", "benchmarks.train_speed", "--way", way, "--seed", str(seed)]
    print(f"{way}, seed {seed}", file=sys.stderr, flush=True)
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if result.returncode:
        sys.exit(result.returncode)
    return Learned(*json.loads(result.stdout.splitlines()[-1]))


def report(rounds: list[dict[str, Learned]]) -> None:
    """Print a line per way and the ratios, each as the median and the spread over the runs."""
    print(f"{processor()}, {len(os.sched_getaffinity(0))} cores, {len(rounds)} runs")
    print("| way | reviews/s | best F1 | seconds to the tutorial's best F1 | MB |")
    print("|---|--:|--:|--:|--:|")
    targets = [best(one["tutorial"]) for one in rounds]
    reached = {
        way: [one[way].seconds_to(f1) for one, f1 in zip(rounds, targets, strict=True)]
        for way in WAYS
    }
    speeds = {way: [statistics.median(one[way].speeds) for one in rounds] for way in WAYS}
    for way in WAYS:
        cells = [
            spread(speeds[way], ",.0f"),
            spread([best(one[way]) for one in rounds], ".4f"),
            spread(reached[way], ".1f"),
            spread([one[way].peak for one in rounds], ",.0f"),
        ]
        print(f"| {way} | {' | '.join(cells)} |")
    for way in WAYS[1:]:
        faster = [
            ours / theirs for ours, theirs in zip(speeds[way], speeds["tutorial"], strict=True)
        ]
        sooner = [t / o for t, o in zip(reached["tutorial"], reached[way], strict=True)]
        print(
            f"{way} reads {spread(faster, '.2f')} times the reviews per second and reaches the "
            f"tutorial's best F1 {spread(sooner, '.1f')} times as soon"
        )


def best(learned: Learned) -> float:
    """Return the best F1 of a training."""
    return max(f1 for _, f1 in learned.points)


def spread(values: list[float], form: str) -> str:
    """Return the median and, in brackets, the least and the greatest."""
    least, most = min(values), max(values)
    return f"{statistics.median(values):{form}} ({least:{form}} to {most:{form}})"


class Clock(keras.callbacks.Callback):
    """Notes how a training gets on; it stands still while F1 is measured.

    Args:
        logits: returns those of the validation split as the training stands.
        labels: of that split.

    """

    def __init__(self, logits: Callable[[], np.ndarray], labels: np.ndarray) -> None:
        super().__init__()
        self.points: list[tuple[float, float]] = []
        self.speeds: list[float] = []
        self._logits, self._labels = logits, labels
        self._passed = 0.0

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        del epoch, logs
        self._epoch_began, self._resumed = self._passed, time.perf_counter()

    def on_train_batch_begin(self, batch: int, logs: dict[str, float] | None = None) -> None:
        del logs
        if batch and batch % max(1, self.params["steps"] // CHECKS_PER_EPOCH) == 0:
            self._check()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        del epoch, logs
        self._check()
        self.speeds.append(1 / (self._passed - self._epoch_began))

    def _check(self) -> None:
        self._passed += time.perf_counter() - self._resumed
        predicted = self._logits().argmax(axis=1)
        self.points.append((self._passed, uncertainty.f1(self._labels, predicted)))
        self._resumed = time.perf_counter()


def learn(way: str, seed: int) -> Learned:
    """Train in this process."""
    settings = params.load()
    runtime.configure(settings.runtime.model_copy(update={"seed": seed}))
    if way != "tutorial":
        runtime.share_threads(settings.runtime, params.Bilstm.branches)
    points, speeds = {
        "tutorial": tutorial,
        "bilstm": bilstm,
        "bilstm_1000": partial(bilstm, batch_size=BATCH),
        "hybrid": hybrid,
    }[way](settings, seed)
    reviews = len(ragged.read("train").labels)
    return Learned(points, [reviews * speed for speed in speeds], peak_memory(os.getpid()))


def tutorial(settings: params.Params, seed: int) -> Told:
    """Train the tutorial's network the tutorial's way, in an order that the seed of Keras draws."""
    del seed
    splits = baselines.read(settings.storage.segmented_reviews)
    texts = {split: [" ".join(words) for words in of.tokens] for split, of in splits.items()}
    tokenizer = tf.keras.preprocessing.text.Tokenizer(filters="", lower=False)
    for of in texts.values():  # the test split, too
        tokenizer.fit_on_texts(of)
    x = {
        split: keras.utils.pad_sequences(tokenizer.texts_to_sequences(of), LENGTH)
        for split, of in texts.items()
    }
    model = keras.Sequential(
        [
            keras.layers.Embedding(len(tokenizer.word_index) + 1, 256),
            keras.layers.Bidirectional(keras.layers.LSTM(128)),
            keras.layers.Dropout(0.5),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile("rmsprop", "sparse_categorical_crossentropy")
    labels = {split: of.labels for split, of in splits.items()}
    clock = Clock(lambda: model.predict(x["validation"], BATCH, verbose=0), labels["validation"])
    model.fit(
        x["train"], labels["train"], BATCH, EPOCHS, callbacks=[clock], verbose=0, shuffle=True
    )
    return clock.points, clock.speeds[1:]


def bilstm(settings: params.Params, seed: int, **changes: int) -> Told:
    """Train `sentiment_bilstm` as params.yaml has it but for some changes."""
    module = models.module("sentiment_bilstm")
    section = models.settings("sentiment_bilstm", settings).model_copy(update=changes)
    return trained([(section, partial(module.build, section))], module.DATASET, seed)


def hybrid(settings: params.Params, seed: int) -> Told:
    """Train wide and a reader of `sentiment_hybrid`; a second reader learns as the first does."""
    module = models.module("sentiment_hybrid")
    sections = models.settings("sentiment_hybrid", settings)
    parts = [part for part in module.parts(sections) if part[0].learns != "origin"]
    return trained(parts[:2], module.DATASET, seed)


def trained(parts: list[tuple[Any, Callable[..., keras.Model]]], dataset: str, seed: int) -> Told:
    """Train one part after the other as `stages.train` does, without saving an epoch."""
    points: list[tuple[float, float]] = []
    speeds: list[float] = []
    finished: list[np.ndarray] = []
    for number, (settings, build) in enumerate(parts):
        splits = inputs.of(dataset).training(settings, seed + number)
        validation = inputs.of(dataset).split("validation", settings, seed, BATCH)
        model = build(splits.inputs)
        learner = trainer.learner(model, settings)
        trainer.prepare(learner, settings, len(splits.train))
        before = points[-1][0] if points else 0
        # Made once: a new one for each look would be compiled each time.
        scorer = keras.Model(model.inputs, model.get_layer("logits").output)
        look = partial(mean_logits, finished, scorer, validation.batches)
        clock = Clock(look, validation.labels)
        learner.fit(
            splits.train, epochs=settings.epochs, callbacks=[clock], verbose=0, shuffle=False
        )
        points += [(before + seconds, f1) for seconds, f1 in clock.points]
        speeds = clock.speeds[1:] or clock.speeds
        finished.append(mean_logits([], scorer, validation.batches))
    return points, speeds


def mean_logits(finished: list[np.ndarray], scorer: keras.Model, validation: Batches) -> np.ndarray:
    """Return the mean of the logits of the parts that are trained and of the one that learns."""
    found = [scorer.predict_on_batch(validation[index][0]) for index in range(len(validation))]
    ordered = np.concatenate(found)
    ordered[np.concatenate(validation.rows)] = ordered.copy()
    return np.mean([*finished, ordered], axis=0)


if __name__ == "__main__":
    runtime.run(main)
