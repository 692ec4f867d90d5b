"""Measure a model on its test split: `python -m stages.evaluate NAME`."""

import argparse
from collections.abc import Sequence

from stages import files, params, paths, runtime


def main() -> None:
    """Write metrics/NAME.json and the tables below metrics/plots/NAME."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="a model of params.yaml")
    name = parser.parse_args().name
    settings = params.load()
    settings.model(name)  # an unknown name ends here
    runtime.configure(settings.runtime)

    # These import TensorFlow, which must not happen before it is configured.
    from stages import models
    from stages.datasets import registry
    from stages.evaluation import mistakes, scores, tables
    from stages.reproducibility import archive
    from stages.text import ragged, reviews
    from stages.training import data

    dataset = models.module(name).DATASET
    test = data.load_test(dataset, settings.evaluate.batch_size)
    probabilities = data.predict(archive.load(paths.model(name)), test.batches)
    rows = mistakes.worst(test.labels, probabilities, settings.evaluate.mistakes)
    classes: Sequence[str] = reviews.CLASSES
    if dataset == "reviews":
        encoded, segmented = ragged.read("test"), settings.storage.segmented_reviews
        details = mistakes.of_words(rows, encoded, segmented)
    elif dataset == "ngrams":
        details = mistakes.of_texts(rows, test.ids, settings.storage.prepared_reviews)
    else:
        classes, details = registry.load().images(dataset).classes, mistakes.of_images(rows)
    tables.write(paths.plots(name), test.labels, probabilities, classes)
    mistakes.write(paths.plots(name), test.labels, probabilities, classes, details)
    by_source = scores.by_source(test.labels, probabilities, test.sources, test.source_names)
    tables.write_by_source(paths.plots(name), by_source)
    figures = scores.summary(test.labels, probabilities)
    if len(by_source) > 1:
        figures |= scores.flat(by_source)
    # Last, so that a run that ends before leaves no new figures beside old plots.
    files.write_json(paths.metrics(name), figures)


if __name__ == "__main__":
    runtime.run(main)
