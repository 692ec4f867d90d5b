"""Bundles from trained models."""

from pathlib import Path

import numpy as np

from keras_repro import inputs, models
from keras_repro.bundles import bundle, card, onnx_graph, onnx_hybrid
from keras_repro.bundles.network import Network, as_probabilities
from keras_repro.core import files, params, paths
from keras_repro.core.errors import ReproError
from keras_repro.evaluation import behaviour, predictions, scores, uncertainty
from keras_repro.inputs import Kind, Split
from keras_repro.inputs.images import ImageReading
from keras_repro.reproducibility.exact import archive

# How far a probability may be from Keras'; float32 leaves about 1e-6.
TOLERANCE = 1e-4


def export(name: str, settings: params.Params, directory: Path) -> None:
    """Write the bundle of a model.

    Raises:
        ReproError: the model is missing, has a layer that cannot be exported, or its network says
            something else than Keras on the test split.

    """
    model = archive.load(paths.model(name))
    kind, own = inputs.of(models.module(name).DATASET), models.settings(name, settings)
    seed, batch_size = settings.runtime.seed, settings.evaluate.batch_size
    splits = {split: kind.split(split, own, seed, batch_size) for split in predictions.SPLITS}
    ids = {split: found.ids for split, found in splits.items()}
    predicted = predictions.read(paths.predictions(kind.folder, name), ids)
    with bundle.writing(directory) as fresh:
        network = onnx_graph.convert(model, onnx_hybrid.PARTS)
        files.write_bytes(fresh / bundle.NETWORK, network)
        _check(name, splits["test"], predicted["test"], fresh / bundle.NETWORK)
        reading = kind.pack(model, settings, fresh)
        threshold = None
        if _has_two_classes(predicted["validation"]):
            threshold = uncertainty.best_threshold(
                splits["validation"].labels, predicted["validation"]
            )
        test = splits["test"]
        metrics = scores.summary(test.labels, scores.as_classes(predicted["test"]))
        if isinstance(reading, ImageReading):
            about = card.of_images(name, test.source_names[0], model.input_shape[1:], metrics)
        elif threshold is None:
            about = card.of_classes(name, test, metrics, kind.classes())
        else:
            behaves = _behaves(name, kind, threshold)
            about = card.of_reviews(name, test, metrics, threshold, behaves)
        files.write_bytes(fresh / card.CARD, about.encode())
        manifest = bundle.Manifest(
            format=bundle.FORMAT,
            model=name,
            reads=reading,
            labels=tuple(kind.classes()),
            threshold=threshold,
            measured=bundle.Measured(
                corpora=tuple(test.source_names),
                n_test=len(test.labels),
                f1=files.rounded(metrics["f1"]),
            ),
            requires=bundle.versions(reading.packages),
            files={},
        )
        bundle.seal(fresh, manifest)


def _check(name: str, test: Split, expected: np.ndarray, path: Path) -> None:
    """Compare the network with what Keras predicted on the whole test split."""
    network = Network(path)
    found = np.empty_like(expected)
    for number, rows in enumerate(test.batches.rows):
        probabilities = as_probabilities(network.logits(test.batches[number][0]))
        found[rows] = probabilities[:, 1] if _has_two_classes(expected) else probabilities
    worst = float(np.abs(found - expected).max())
    if not worst <= TOLERANCE:
        raise ReproError(
            f"{paths.model(name)}: a probability of the exported network is {worst:.2g} from "
            f"Keras'; expected at most {TOLERANCE:g}"
        )


def _behaves(name: str, kind: Kind, threshold: float) -> dict[str, float]:
    """Return the metrics of what a model said of the texts of data/behaviour/."""
    cases, pairs = behaviour.read_cases(), behaviour.read_pairs()
    texts = behaviour.texts(cases, pairs)
    path = paths.predictions(kind.folder, name)
    found = predictions.read(path, {behaviour.SPLIT: behaviour.ids(texts)})[behaviour.SPLIT]
    return behaviour.metrics(cases, pairs, behaviour.answers(texts, found, threshold))


def _has_two_classes(probabilities: np.ndarray) -> bool:
    return probabilities.ndim == 1
