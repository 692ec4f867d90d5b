"""Ask sentiment classifiers short texts by capability: `python -m stages.sentiment.behaviour`."""

from collections.abc import Sequence

from keras_repro.bundles.sentiment import Sentiment
from keras_repro.core import files, params, paths, runtime
from keras_repro.core.errors import ReproError
from keras_repro.evaluation import behaviour, predictions


def main() -> None:
    """Write metrics/behaviour.json, and each case and pair that went wrong."""
    settings = params.load()
    cases, pairs = behaviour.read_cases(), behaviour.read_pairs()
    texts = behaviour.texts(cases, pairs)
    answers = {name: answered(name, texts) for name in predictions.models_of_reviews(settings)}
    answers |= {name: behaviour.read(name, texts) for name in settings.baseline_names}

    failures = [
        (name, *failure)
        for name, found in answers.items()
        for failure in behaviour.failures([*cases, *pairs], found)
        if failure
    ]
    path = paths.plots("behaviour") / "failures.csv"
    files.write_csv(path, ("classifier", *behaviour.Failure._fields), failures)
    # Last, so that a run that ends before leaves no new metrics beside old tables.
    metrics = {name: behaviour.metrics(cases, pairs, found) for name, found in answers.items()}
    files.write_json(paths.metrics("behaviour"), metrics)


def answered(name: str, texts: Sequence[str]) -> behaviour.Answers:
    """Return what a model says, as whoever types these texts gets it."""
    model = Sentiment(paths.bundle(name))
    spelt = {}
    for text in texts:
        try:
            spelt[text] = model.cleared(text)
        except ReproError:  # nothing is left of it
            continue
    found = model.probabilities(list(spelt.values())).round(files.DECIMALS).tolist()
    positive = dict.fromkeys(texts) | dict(zip(spelt, found, strict=True))
    return behaviour.Answers(model.threshold, positive)


if __name__ == "__main__":
    runtime.run(main)
