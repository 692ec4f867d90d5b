"""data/raw/reviews.parquet from one or several corpora."""

from collections.abc import Iterator

import pyarrow as pa

from keras_repro.core import parquet, paths
from keras_repro.core.params import OWN_SOURCES, Params
from keras_repro.datasets import canonical, own
from keras_repro.datasets.registry import Registry
from keras_repro.text.schemas import RAW


def assemble(settings: Params, known: Registry) -> None:
    """Write the corpora that `reviews.source` names, in that order.

    Raises:
        ReproError: a name is unknown, a corpus cannot be had, or a file cannot be read.

    """
    names = settings.reviews.source
    registered = {name: known.corpus(name) for name in names if name not in OWN_SOURCES}
    if len(names) == len(registered) == 1:
        canonical.obtain(registered[names[0]], paths.RAW_REVIEWS, settings.download, names[0])
        return
    for name, dataset in registered.items():
        canonical.obtain(dataset, paths.corpus(name), settings.download, name)
    parquet.write(paths.RAW_REVIEWS, RAW, _rows(settings))


def _rows(settings: Params) -> Iterator[pa.RecordBatch]:
    for name in settings.reviews.source:
        if name in OWN_SOURCES:
            yield from own.parse(name, settings.reviews)
        else:
            yield from parquet.read(paths.corpus(name), RAW)
