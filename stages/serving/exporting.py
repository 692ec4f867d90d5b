"""Bundles from trained models."""

import shutil
from collections.abc import Iterable
from pathlib import Path

import keras
import numpy as np

from stages import ReproError, files, models, params, paths
from stages.datasets import registry
from stages.evaluation import uncertainty
from stages.reproducibility import archive
from stages.serving import bundle, onnx_graph, onnx_hybrid
from stages.serving.network import Network, as_probabilities
from stages.text import ngrams, reviews
from stages.training import data

# How far a probability may be from Keras'; float32 leaves about 1e-6.
TOLERANCE = 1e-4


def export(name: str, settings: params.Params, directory: Path) -> None:
    """Write the bundle of a model.

    Raises:
        ReproError: the model is missing, has a layer that cannot be exported, or its network says
            something else than Keras on the test split.

    """
    model, dataset = archive.load(paths.model(name)), models.module(name).DATASET
    with bundle.writing(directory) as fresh:
        network = onnx_graph.convert(model, onnx_hybrid.PARTS)
        files.write_bytes(fresh / bundle.NETWORK, network)
        _check(name, model, dataset, fresh / bundle.NETWORK, settings.evaluate.batch_size)
        reads, labels, requires = _reads(dataset, model, settings, fresh)
        threshold = None
        if dataset in data.REVIEWS:
            threshold = _threshold(model, dataset, settings.evaluate.batch_size)
        manifest = bundle.Manifest(
            format=bundle.FORMAT,
            model=name,
            reads=reads,
            labels=labels,
            threshold=threshold,
            requires=bundle.versions(requires),
            files={},
        )
        bundle.seal(fresh, manifest)


def _check(name: str, model: keras.Model, dataset: str, path: Path, batch_size: int) -> None:
    """Compare with Keras on the whole test split."""
    test = data.load_test(dataset, batch_size).batches
    network = Network(path)
    expected = data.predict(model, test)
    found = np.empty_like(expected)
    for number, rows in enumerate(test.rows):
        found[rows] = as_probabilities(network.logits(test[number][0]))
    worst = float(np.abs(found - expected).max())
    if not worst <= TOLERANCE:
        raise ReproError(
            f"{paths.model(name)}: a probability of the exported network is {worst:.2g} from "
            f"Keras'; expected at most {TOLERANCE:g}"
        )


def _threshold(model: keras.Model, dataset: str, batch_size: int) -> float:
    """Return the probability that parts the validation split with the best F1."""
    validation = data.load_split(dataset, "validation", batch_size)
    positive = data.predict(model, validation.batches)[:, 1]
    return uncertainty.best_threshold(validation.labels, positive)


def _reads(
    dataset: str, model: keras.Model, settings: params.Params, directory: Path
) -> tuple[bundle.Images | bundle.Words | bundle.Ngrams, tuple[str, ...], tuple[str, ...]]:
    """Write what else a model reads; return how it reads, its labels and the packages for that."""
    prepare, segment = settings.prepare, settings.segment
    spelling = bundle.Spelling(
        unicode_form=prepare.unicode_form,
        simplify=prepare.simplify,
        max_characters=prepare.max_characters,
    )
    simplifies = ("opencc",) if prepare.simplify else ()
    if dataset == "reviews":
        shutil.copyfile(paths.VOCABULARY, directory / bundle.VOCABULARY)
        _concatenate(segment.stop_words, directory / bundle.STOP_WORDS)
        _concatenate(filter(None, [segment.user_dict]), directory / bundle.USER_WORDS)
        words = bundle.Words(
            kind="words",
            spelling=spelling,
            engine=segment.engine,
            hmm=segment.hmm,
            max_length=settings.tokenize.max_length,
        )
        return words, reviews.CLASSES, (segment.engine, *simplifies)
    if dataset == "ngrams":
        names = ["characters", *ngrams.Keys._fields]
        files.write_npz(directory / bundle.NGRAMS, files.read_npz(paths.NGRAM_VOCABULARY, names))
        _concatenate(filter(None, [segment.user_dict]), directory / bundle.USER_WORDS)
        grams = bundle.Ngrams(
            kind="ngrams",
            spelling=spelling,
            engine=segment.engine,
            max_length=settings.ngrams.max_length,
        )
        return grams, reviews.CLASSES, (segment.engine, *simplifies)
    images = bundle.Images(kind="images", shape=tuple(model.input_shape[1:]))
    return images, tuple(registry.load().images(dataset).classes), ()


def _concatenate(sources: Iterable[Path], target: Path) -> None:
    """Write lists of words one after the other."""
    texts = (source.read_text(encoding="utf-8").rstrip("\n") for source in sources)
    files.write_bytes(target, "".join(f"{text}\n" for text in texts).encode())
