"""The model card of a bundle: what the model is good for, for whoever finds the bundle alone."""

from collections.abc import Mapping, Sequence

import numpy as np

from keras_repro.datasets import registry
from keras_repro.evaluation import behaviour
from keras_repro.inputs import Split

CARD = "README.md"

OF_REVIEWS = """\
Says of a Chinese review whether it is positive, and how likely.

- **Good for** reviews of books, hotels, shops and goods, of a sentence or several.
- **Not for** other languages, news, or what somebody says of politics; not for decisions about
  people. Irony, and what needs knowledge of the world (一分钱一分货), it mostly misreads.
- **Says `none`** where a text has no Chinese, no word that it knows, or as much for as against.
"""
OF_CLASSES = """\
Says of a Chinese review which of {count} classes it is of, and how likely each is: {classes}.

- **Good for** texts like those that it learned from.
- **Not for** other languages, and not for decisions about people. A text of none of the classes
  gets one of them too.
- **Says `none`** where a text has no Chinese, no word that it knows, or two classes are as likely.
"""
OF_IMAGES = """\
Tells which of {count} classes a picture of {height} × {width} pixels shows: {classes}. A picture of
anything else gets one of them too.
"""


def of_reviews(
    name: str,
    test: Split,
    metrics: Mapping[str, float],
    threshold: float,
    behaves: Mapping[str, float],
) -> str:
    """Return the card of a model of reviews, as Markdown.

    Args:
        name: of the model.
        test: the split that it was measured on.
        metrics: on that split, with a threshold of one half.
        threshold: with which the bundle answers.
        behaves: the metrics of `evaluation.behaviour` with that threshold.

    """
    capabilities = dict.fromkeys(case.capability for case in behaviour.read_cases())
    shares = [f"| {each.replace('_', ' ')} | {behaves[each]:.2f} |" for each in capabilities]
    return "\n".join(
        [
            f"# {name}\n",
            OF_REVIEWS,
            _trained(test),
            *_measured(metrics),
            (
                f"It says positive from a probability of {threshold:.3f} on, which F1 on the "
                "validation split has chosen.\n"
            ),
            (
                f"Of {len(behaviour.read_cases())} short texts by capability (data/behaviour) it "
                f"calls {behaves['cases']:.0%} what a reader would; {behaves['invariance']:.0%} of "
                "its verdicts stay where a change means nothing.\n"
            ),
            "| capability | right |\n|---|--:|",
            *shares,
            "",
        ]
    )


def of_classes(name: str, test: Split, metrics: Mapping[str, float], classes: Sequence[str]) -> str:
    """Return the card of a model of reviews of more than two classes, as Markdown.

    Args:
        name: of the model.
        test: the split that it was measured on.
        metrics: on that split; precision, recall and F1 are the mean over the classes.
        classes: their names.

    """
    about = OF_CLASSES.format(count=len(classes), classes=", ".join(classes))
    counts = np.bincount(test.labels, minlength=len(classes)).tolist()
    shares = [f"| {each} | {count:,} |" for each, count in zip(classes, counts, strict=True)]
    table = ["| class | test reviews |\n|---|--:|", *shares, ""]
    return "\n".join([f"# {name}\n", about, _trained(test), *_measured(metrics), *table])


def _trained(test: Split) -> str:
    known = registry.load().reviews
    sources = [
        f"{source} ({known[source].title}; licence: {known[source].licence})"
        if source in known
        else f"{source} (reviews of your own)"
        for source in test.source_names
    ]
    return f"Trained on the training split of {'; '.join(sources)}.\n"


def of_images(name: str, dataset: str, shape: Sequence[int], metrics: Mapping[str, float]) -> str:
    """Return the card of a model of images, as Markdown.

    Args:
        name: of the model.
        dataset: that it learned from.
        shape: height and width of a picture, and perhaps its channels.
        metrics: on the test split.

    """
    found = registry.load().images(dataset)
    height, width, *_ = shape
    about = OF_IMAGES.format(
        count=len(found.classes), height=height, width=width, classes=", ".join(found.classes)
    )
    trained = f"Trained on the training images of {found.title}; licence: {found.licence}.\n"
    return "\n".join([f"# {name}\n", about, trained, *_measured(metrics)])


def _measured(metrics: Mapping[str, float]) -> list[str]:
    return [
        (
            f"On {metrics['n_test']:,} test items: accuracy {metrics['accuracy']:.4f}, precision "
            f"{metrics['precision']:.4f}, recall {metrics['recall']:.4f}, F1 {metrics['f1']:.4f}.\n"
        )
    ]
