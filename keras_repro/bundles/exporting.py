"""Bundles from trained models."""

from pathlib import Path

import numpy as np

from keras_repro import inputs, models
from keras_repro.bundles import bundle, onnx_graph, onnx_hybrid
from keras_repro.bundles.network import Network, as_probabilities
from keras_repro.core import files, params, paths
from keras_repro.core.errors import ReproError
from keras_repro.evaluation import predictions, uncertainty
from keras_repro.inputs import Split
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
        manifest = bundle.Manifest(
            format=bundle.FORMAT,
            model=name,
            reads=reading,
            labels=tuple(kind.classes()),
            threshold=threshold,
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


def _has_two_classes(probabilities: np.ndarray) -> bool:
    return probabilities.ndim == 1
