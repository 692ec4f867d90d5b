"""Judge what sentiment classifiers say of short texts: `python -m stages.sentiment.behaviour`."""

import logging

from keras_repro.core import files, params, paths, runtime
from keras_repro.evaluation import behaviour, predictions, uncertainty
from keras_repro.text import ragged

log = logging.getLogger(__name__)


def main() -> None:
    """Write metrics/behaviour.json, and each case and pair that went wrong.

    Of other classes than negative and positive nothing is asked, and the file says why.
    """
    settings, classes = params.load(), ragged.read_classes()
    cases, pairs = behaviour.read_cases(), behaviour.read_pairs()
    path = paths.plots("behaviour") / "failures.csv"
    header = ("classifier", *behaviour.Failure._fields)
    if not behaviour.suits(classes):
        why = f"the cases expect negative or positive, and the classes are {', '.join(classes)}"
        log.info("nothing is asked: %s", why)
        files.write_csv(path, header, [])
        files.write_json(paths.metrics("behaviour"), {"asked": 0, "why": why})
        return
    texts, validation = behaviour.texts(cases, pairs), ragged.read("validation")
    ids = {"validation": validation.ids, behaviour.SPLIT: behaviour.ids(texts)}
    answers = {}
    for name, place in predictions.of_reviews(settings).items():
        positive = predictions.read(place, ids)
        # As a bundle does, and as the comparison has it.
        threshold = uncertainty.best_threshold(validation.labels, positive["validation"])
        answers[name] = behaviour.answers(texts, positive[behaviour.SPLIT], threshold)

    failures = [
        (name, *failure)
        for name, found in answers.items()
        for failure in behaviour.failures([*cases, *pairs], found)
        if failure
    ]
    files.write_csv(path, header, failures)
    # Last, so that a run that ends before leaves no new metrics beside old tables.
    metrics = {name: behaviour.metrics(cases, pairs, found) for name, found in answers.items()}
    files.write_json(paths.metrics("behaviour"), metrics)


if __name__ == "__main__":
    runtime.run(main)
