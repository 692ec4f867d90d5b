"""Measure a model on its test split: `python -m stages.evaluate NAME`."""

import argparse
from typing import TYPE_CHECKING

import numpy as np

from keras_repro.core import files, params, paths, runtime
from keras_repro.core.errors import ReproError

if TYPE_CHECKING:  # these import TensorFlow, which must not happen before it is configured
    import keras

    from keras_repro.evaluation.predictions import Predictions
    from keras_repro.inputs import Kind


def main() -> None:
    """Write what the model predicts, its metrics, and the tables below metrics/plots/NAME."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="a model of params.yaml")
    name = parser.parse_args().name
    settings = params.load()
    settings.check_model(name)
    runtime.configure(settings.runtime)

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
    found = {split: predictions.of(predicted[split], of.ids) for split, of in splits.items()}
    found |= on_short_texts(model, kind, settings)
    predictions.write(paths.predictions(kind.folder, name), found)
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


def on_short_texts(
    model: "keras.Model", kind: "Kind", settings: params.Params
) -> dict[str, "Predictions"]:
    """Return what a model of texts says of those of data/behaviour/; of images it says nothing.

    Neither does one whose classes are others than negative and positive.
    """
    from keras_repro.evaluation import behaviour
    from keras_repro.inputs import batches
    from keras_repro.inputs.texts import TextReading
    from keras_repro.text import grounds

    if not behaviour.suits(kind.classes()):
        return {}
    with files.scratch() as directory:
        # As an answer reads them.
        reading = kind.pack(model, settings, directory)
        if not isinstance(reading, TextReading):
            return {}
        reader = reading.reader(directory)
    texts = behaviour.texts(behaviour.read_cases(), behaviour.read_pairs())
    spelt = {}
    for text in texts:
        try:
            cleared = reading.spelt(text)
        except ReproError:  # nothing is left of it
            continue
        if not grounds.of_writing(cleared, reading.signs):
            spelt[text] = cleared
    encoded = reader.encoded(list(spelt.values()))
    data = batches.Batches(
        lambda rows: (reader.inputs(encoded.padded(rows)),),
        lambda _: batches.by_length(encoded.lengths, settings.evaluate.batch_size, None),
        seed=0,
    )
    positive = batches.predict(model, data)[:, 1]
    for (inputs,), rows in zip(data, data.rows, strict=True):
        positive[rows[~reader.known(inputs, encoded.lengths[rows])]] = np.nan
    return {
        behaviour.SPLIT: behaviour.predicted(
            texts, dict(zip(spelt, positive.tolist(), strict=True))
        )
    }


if __name__ == "__main__":
    runtime.run(main)
