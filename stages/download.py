"""Fetch a dataset: `python -m stages.download mnist|cifar10|reviews`."""

import argparse

from keras_repro.core import params, paths, runtime
from keras_repro.datasets import canonical, corpora, registry, sources


def main() -> None:
    """Write data/raw/ITEM; of a registered dataset it has the bytes in data/registry.yaml."""
    item = _item()
    settings = params.load()
    known = registry.load()
    if item == registry.REVIEWS:
        corpora.assemble(settings, known)
    else:
        canonical.obtain(known.images(item), paths.raw_images(item), settings.download)


def watch() -> None:
    """Let DVC watch the files that `reviews.path` names."""
    if _item() == registry.REVIEWS:
        sources.watch(params.load().reviews)


def _item() -> str:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("item", help="mnist, cifar10 or reviews")
    found: str = parser.parse_args().item
    return found


if __name__ == "__main__":
    runtime.run(main, before=watch)
