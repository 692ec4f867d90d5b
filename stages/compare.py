"""Compare all that tell sentiment, with intervals: `python -m stages.compare`."""

from typing import cast

import numpy as np

from stages import ReproError, files, params, paths, runtime

# Words of a review. Those over `tokenize.max_length` were cut there.
LENGTHS = (10, 30)
LENGTH_NAMES = ("to 10", "11 to 30", "over 30")


def main() -> None:
    """Write metrics/sentiment.json and the tables below metrics/plots/sentiment."""
    settings = params.load()
    runtime.configure(settings.runtime)

    # These import TensorFlow, which must not happen before it is configured.
    from stages.evaluation import comparison
    from stages.reproducibility import archive
    from stages.text import ragged
    from stages.training import data

    splits = {
        split: data.load_reviews(split, settings.evaluate.batch_size)
        for split in ("validation", "test")
    }
    ids = {split: ragged.read(split).ids for split in splits}
    positive = {name: judged(name, ids) for name in settings.baseline_names}
    for name in settings.sentiment_models:
        model = archive.load(paths.model(name))
        positive[name] = {
            split: data.predict(model, found.batches)[:, 1] for split, found in splits.items()
        }

    test = splits["test"]
    lengths = cast(np.ndarray, test.lengths)  # which reviews have
    parts = {
        "words": (np.digitize(lengths, LENGTHS, right=True), LENGTH_NAMES),
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
    labels = {split: found.labels for split, found in splits.items()}
    # Last, so that a run that ends before leaves no new figures beside old tables.
    files.write_json(
        paths.metrics("sentiment"),
        comparison.figures(positive, labels, settings.baseline_names, settings.runtime.seed),
    )


def judged(name: str, ids: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return what a baseline says of each split.

    Raises:
        ReproError: it has judged other reviews.

    """
    path = paths.predictions(name)
    found = files.read_npz(path, [*ids, *(f"{split}_ids" for split in ids)])
    for split, expected in ids.items():
        if not np.array_equal(found[f"{split}_ids"], expected):
            raise ReproError(
                f"{path}: other reviews than {paths.ENCODED_REVIEWS} has in {split}; "
                "expected the same (run `dvc repro`)"
            )
    return {split: found[split] for split in ids}


if __name__ == "__main__":
    runtime.run(main)
