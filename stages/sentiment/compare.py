"""Set all sentiment classifiers beside each other: `python -m stages.sentiment.compare`."""

import numpy as np

from keras_repro.core import files, params, paths, runtime
from keras_repro.evaluation import comparison, predictions
from keras_repro.text import ragged

# Words of a review. Those over `tokenize.max_length` were cut there.
LENGTHS = (10, 30)
LENGTH_NAMES = ("to 10", "11 to 30", "over 30")


def main() -> None:
    """Write metrics/sentiment.json and the tables below metrics/plots/sentiment."""
    settings = params.load()
    words = {split: ragged.read(split) for split in predictions.SPLITS}
    ids = {split: found.ids for split, found in words.items()}
    places = predictions.of_reviews(settings)
    predicted = {name: predictions.read(path, ids) for name, path in places.items()}

    test = words["test"]
    parts = {
        "words": (np.digitize(test.lengths, LENGTHS, right=True), LENGTH_NAMES),
        "source": (test.sources, ragged.read_sources()),
    }
    directory = paths.plots("sentiment")
    files.write_csv(
        directory / "parts.csv",
        ("model", "by", "part", "accuracy", "f1", "n_test"),
        comparison.by_part(predicted, test.labels, parts),
    )
    files.write_csv(
        directory / "reliability.csv",
        ("model", "probability", "share", "reviews"),
        comparison.reliability(predicted, test.labels),
    )
    labels = {split: found.labels for split, found in words.items()}
    # Last, so that a run that ends before leaves no new metrics beside old tables.
    files.write_json(
        paths.metrics("sentiment"),
        comparison.metrics(predicted, labels, settings.baseline_names, settings.runtime.seed),
    )


if __name__ == "__main__":
    runtime.run(main)
