"""Compare all that tell sentiment, with intervals: `python -m stages.compare`."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from stages import ReproError, files, params, paths, runtime

JUDGED = ("validation", "test")
# Words of a review. Those over `tokenize.max_length` were cut there.
LENGTHS = (10, 30)
LENGTH_NAMES = ("to 10", "11 to 30", "over 30")


def main() -> None:
    """Write metrics/sentiment.json and the tables below metrics/plots/sentiment."""
    settings = params.load()
    runtime.configure(settings.runtime)

    # These import TensorFlow, which must not happen before it is configured.
    from stages import models
    from stages.evaluation import comparison
    from stages.reproducibility import archive
    from stages.training import data

    read = {
        dataset: {
            split: data.load_split(dataset, split, settings.evaluate.batch_size) for split in JUDGED
        }
        for dataset in data.REVIEWS
    }
    words = read["reviews"]
    ids = {split: found.ids for split, found in words.items()}
    positive = {name: judged(name, ids) for name in settings.baseline_names}
    for name in settings.sentiment_models:
        model = archive.load(paths.model(name))
        splits = read[models.module(name).DATASET]
        own = {split: found.ids for split, found in splits.items()}
        _check_ids(data.source(models.module(name).DATASET), ids, own)
        positive[name] = {
            split: data.predict(model, found.batches)[:, 1] for split, found in splits.items()
        }

    test = words["test"]
    parts = {
        "words": (np.digitize(test.lengths, LENGTHS, right=True), LENGTH_NAMES),
        "source": (test.sources, test.source_names),
    }
    directory = paths.plots("sentiment")
    files.write_csv(
        directory / "parts.csv",
        ("model", "by", "part", "accuracy", "f1", "n_test"),
        comparison.by_part(positive, test.labels, parts),
    )
    files.write_csv(
        directory / "reliability.csv",
        ("model", "probability", "share", "reviews"),
        comparison.reliability(positive, test.labels),
    )
    labels = {split: found.labels for split, found in words.items()}
    # Last, so that a run that ends before leaves no new figures beside old tables.
    files.write_json(
        paths.metrics("sentiment"),
        comparison.figures(positive, labels, settings.baseline_names, settings.runtime.seed),
    )


def judged(name: str, ids: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return what a baseline says of each split.

    Raises:
        ReproError: it has judged other reviews.

    """
    path = paths.predictions(name)
    found = files.read_npz(path, [*ids, *(f"{split}_ids" for split in ids)])
    _check_ids(path, ids, {split: found[f"{split}_ids"] for split in ids})
    return {split: found[split] for split in ids}


def _check_ids(
    path: Path, expected: Mapping[str, np.ndarray], found: Mapping[str, np.ndarray]
) -> None:
    for split, ids in expected.items():
        if not np.array_equal(found[split], ids):
            raise ReproError(
                f"{path}: other reviews than {paths.ENCODED_REVIEWS} has in {split}; "
                "expected the same (run `dvc repro`)"
            )


if __name__ == "__main__":
    runtime.run(main)
