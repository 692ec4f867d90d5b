"""Measure a model on its test split: `python -m stages.evaluate NAME`."""

import argparse

from keras_repro.core import files, params, paths, runtime


def main() -> None:
    """Write what the model predicts, its metrics, and the tables below metrics/plots/NAME."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="a model of params.yaml")
    name = parser.parse_args().name
    settings = params.load()
    settings.check_model(name)
    runtime.configure(settings.runtime)

    # These import TensorFlow, which must not happen before it is configured.
    from keras_repro import inputs, models
    from keras_repro.evaluation import mistakes, plots, predictions, scores
    from keras_repro.inputs import batches
    from keras_repro.reproducibility.exact import archive

    kind, own = inputs.of(models.module(name).DATASET), models.settings(name, settings)
    model = archive.load(paths.model(name))
    seed, batch_size = settings.runtime.seed, settings.evaluate.batch_size
    splits = {split: kind.split(split, own, seed, batch_size) for split in predictions.SPLITS}
    predicted = {split: batches.predict(model, of.batches) for split, of in splits.items()}
    test, probabilities = splits["test"], predicted["test"]
    rows = mistakes.worst(test.labels, probabilities, settings.evaluate.mistakes)
    classes, directory = kind.classes(), paths.plots(name)
    predictions.write(
        paths.predictions(kind.folder, name),
        {split: predictions.of(predicted[split], of.ids) for split, of in splits.items()},
    )
    plots.write(directory, test.labels, probabilities, classes)
    details = kind.details(rows, settings)
    mistakes.write(directory, test.labels, probabilities, classes, details)
    by_source = scores.by_source(test.labels, probabilities, test.sources, test.source_names)
    plots.write_by_source(directory, by_source)
    metrics = scores.summary(test.labels, probabilities)
    if len(by_source) > 1:
        metrics |= scores.flat(by_source)
    # Last, so that a run that ends before leaves no new metrics beside old plots.
    files.write_json(paths.metrics(name), metrics)


if __name__ == "__main__":
    runtime.run(main)
