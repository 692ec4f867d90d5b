"""Judge what sentiment classifiers say of short texts: `python -m stages.sentiment.behaviour`."""

from keras_repro.core import files, params, paths, runtime
from keras_repro.evaluation import behaviour, predictions, uncertainty
from keras_repro.text import ragged


def main() -> None:
    """Write metrics/behaviour.json, and each case and pair that went wrong."""
    settings = params.load()
    cases, pairs = behaviour.read_cases(), behaviour.read_pairs()
    texts, validation = behaviour.texts(cases, pairs), ragged.read("validation")
    ids = {"validation": validation.ids, behaviour.SPLIT: behaviour.ids(texts)}
    answers = {}
    for name, path in predictions.of_reviews(settings).items():
        positive = predictions.read(path, ids)
        # As a bundle does, and as the comparison has it.
        threshold = uncertainty.best_threshold(validation.labels, positive["validation"])
        answers[name] = behaviour.answers(texts, positive[behaviour.SPLIT], threshold)

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


if __name__ == "__main__":
    runtime.run(main)
