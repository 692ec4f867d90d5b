"""Fetch a dataset: `python -m stages.download mnist|cifar10|reviews`."""

import argparse

from stages import params, paths, runtime
from stages.datasets import canonical, registry


def main() -> None:
    """Write data/raw/ITEM from the first source that gives the bytes in data/registry.yaml."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("item", help="mnist, cifar10 or reviews")
    item = parser.parse_args().item
    settings = params.load()
    known = registry.load()
    if item == "reviews":
        dataset, target = known.corpus(settings.reviews.source), paths.RAW_REVIEWS
    else:
        dataset, target = known.images(item), paths.raw_images(item)
    canonical.obtain(dataset, target, settings.download)


if __name__ == "__main__":
    runtime.run(main)
