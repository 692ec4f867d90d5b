"""Train and measure a baseline: `python -m stages.sentiment.baseline NAME`."""

import argparse
from collections.abc import Callable

import numpy as np
from threadpoolctl import threadpool_limits

from keras_repro import baselines
from keras_repro.core import files, params, paths, runtime
from keras_repro.evaluation import behaviour, plots, predictions, scores, uncertainty


def main() -> None:
    """Write what the best candidate of the validation split says, and its test metrics."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=params.Baselines.model_fields)
    name = parser.parse_args().name
    settings = params.load()
    classes = tuple(settings.classes)
    reviews = baselines.read(settings.storage.segmented_reviews)
    validation, test = reviews["validation"], reviews["test"]
    candidates = baselines.candidates(
        name, reviews["train"], getattr(settings.baselines, name), settings.runtime.seed
    )

    # With more threads sums are taken in another order.
    with threadpool_limits(1):
        best, judged, tried = choose(candidates, validation)

        def likely(scored: np.ndarray) -> np.ndarray:
            return rounded(probabilities(judged, validation.labels, scored))

        found = {"validation": likely(judged), "test": likely(best.score(test))}
        predicted = {
            split: predictions.Predictions(each, np.array(reviews[split].ids, "S16"))
            for split, each in found.items()
        }
        if behaviour.suits(classes):
            predicted |= {
                behaviour.SPLIT: answered(lambda asked: likely(best.score(asked)), settings)
            }

    title = f"baseline_{name}"
    of_all = scores.as_classes(found["test"])
    predictions.write(paths.predictions("baselines", name), predicted)
    files.write_csv(paths.history(title), (*best.parameters, "val_f1"), tried)
    plots.write(paths.plots(title), test.labels, of_all, classes)
    # Last, so that a run that ends before leaves no new metrics beside old plots.
    files.write_json(paths.metrics(title), scores.summary(test.labels, of_all))


def probabilities(judged: np.ndarray, labels: np.ndarray, scored: np.ndarray) -> np.ndarray:
    """Return the probabilities that scores mean: calibrated on the validation split.

    Args:
        judged: scores of the validation split, as a candidate gives them.
        labels: of that split.
        scored: likewise, of any reviews.

    """
    way = uncertainty.calibrated if judged.ndim == 1 else uncertainty.tempered
    return way(judged, labels, scored)


def rounded(likely: np.ndarray) -> np.ndarray:
    """Return probabilities rounded as all that is written; those of all classes add up to 1."""
    found: np.ndarray = likely.round(files.DECIMALS)
    return found if found.ndim == 1 else found / found.sum(axis=1, keepdims=True)


def choose(
    candidates: baselines.Candidates, validation: baselines.Reviews
) -> tuple[baselines.Candidate, np.ndarray, list[tuple[float, ...]]]:
    """Return the best candidate, its scores of the validation split, and the F1 of each there."""
    tried = []
    best: list[tuple[float, baselines.Candidate, np.ndarray]] = []  # one at most, as they are large
    for candidate in candidates:
        found = candidate.score(validation)
        likely = scores.as_classes(probabilities(found, validation.labels, found))
        f1 = uncertainty.f1(validation.labels, likely.argmax(axis=1), likely.shape[1])
        if not best or f1 > best[0][0]:
            best = [(f1, candidate, found)]
        tried.append((*candidate.parameters.values(), f1))
    ((_, candidate, found),) = best
    return candidate, found, tried


def answered(
    positive: Callable[[baselines.Reviews], np.ndarray], settings: params.Params
) -> predictions.Predictions:
    """Return how likely each text of data/behaviour/ is positive."""
    texts = behaviour.texts(behaviour.read_cases(), behaviour.read_pairs())
    asked = {text: spelt for text in texts if (spelt := baselines.spelt(text, settings.prepare))}
    found = positive(baselines.unlabelled([*asked.values()], settings.segment)).tolist()
    return behaviour.predicted(texts, dict(zip(asked, found, strict=True)))


if __name__ == "__main__":
    runtime.run(main)
