"""From the sources of a dataset to its one canonical file."""

import logging
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa

from keras_repro.core import files, parquet, paths
from keras_repro.core.errors import ReproError
from keras_repro.core.params import Download
from keras_repro.datasets import (
    cifar10_binary,
    cifar10_png,
    fetching,
    images,
    mnist_idx,
    own,
    snownlp,
)
from keras_repro.datasets.registry import Dataset, MirrorSource, NpmSource, Source, UrlSource
from keras_repro.text import schemas

log = logging.getLogger(__name__)

IMAGE_FORMATS: dict[str, Callable[[Path], images.Images]] = {
    "npz": images.read_npz,
    "mnist_idx": mnist_idx.parse,
    "cifar10_binary": cifar10_binary.parse,
    "cifar10_png": cifar10_png.parse,
}
REVIEW_FORMATS: dict[str, Callable[[Path, str], Iterator[pa.RecordBatch]]] = {
    "parquet": lambda path, _: parquet.read(path, schemas.RAW),
    "snownlp": lambda path, _: snownlp.parse(path),
    "labelled_reviews": own.labelled,
}


def obtain(dataset: Dataset, target: Path, patience: Download, name: str = "") -> None:
    """Write the canonical file of a dataset from the first source that yields its bytes.

    A target that already has these bytes stays untouched; one with other bytes is replaced only
    when the new ones are complete.

    Args:
        dataset: from the registry.
        target: the canonical file.
        patience: with each source.
        name: that the reviews of a corpus bear as their source.

    Raises:
        ReproError: no source gave the dataset; the message names each and why it failed.

    """
    if target.is_file() and files.sha256(target) == dataset.sha256:
        log.info("%s: already here, %s", target, files.sized(target))
        return
    failures = []
    for source in dataset.sources:
        described = fetching.describe(source)
        log.info("%s: trying %s", target, described)
        try:
            _from_source(source, dataset, target, patience, name)
        except ReproError as error:
            failures.append(f"  {described}: {error}")
            log.warning("%s", failures[-1])
        else:
            log.info("%s: %s, sha256 as in %s", target, files.sized(target), paths.REGISTRY)
            return
    raise ReproError(
        f"{target}: no source gave {dataset.title!r}\n"
        + "\n".join(failures)
        + f"\nexpected one of them to answer, or the files in a directory that the environment "
        f"variable {fetching.MIRROR_VARIABLE} names"
    )


def _from_source(
    source: Source, dataset: Dataset, target: Path, patience: Download, name: str
) -> None:
    with files.scratch() as scratch:
        failure: ReproError | None = None
        for path, form in _fetched(source, dataset, target.name, scratch, patience):
            try:
                _write(path, form, dataset, scratch / "canonical", name)
                with files.replacing(target) as temporary:
                    shutil.move(scratch / "canonical", temporary)
            except ReproError as error:  # the mirror may hold a second file that serves
                failure = error
            else:
                return
        if failure is not None:
            raise failure


def _fetched(
    source: Source, dataset: Dataset, canonical: str, scratch: Path, patience: Download
) -> Iterator[tuple[Path, str]]:
    """Yield the files that a source gives, each with its format."""
    match source:
        case UrlSource():
            yield fetching.from_url(source, scratch, patience), source.format
        case NpmSource():
            yield fetching.from_npm(source, scratch, patience), source.format
        case MirrorSource():
            yield from fetching.from_mirror(dataset, canonical)
        case _:
            yield fetching.from_package(source), source.format


def _write(path: Path, form: str, dataset: Dataset, target: Path, name: str) -> None:
    """Parse `path`, write it canonically and compare the hash with the registry's."""
    if form in IMAGE_FORMATS:
        content = images.checked(IMAGE_FORMATS[form](path), path.name)
        files.write_npz(target, content._asdict())
    elif form in REVIEW_FORMATS:
        batches = REVIEW_FORMATS[form](path, name)
        parquet.write(target, schemas.RAW, batches)
    else:
        known = ", ".join([*IMAGE_FORMATS, *REVIEW_FORMATS])
        raise ReproError(f"{paths.REGISTRY}: no format {form!r}; expected one of {known}")
    digest = files.sha256(target)
    if digest != dataset.sha256:
        raise ReproError(
            f"{path.name} turned into a canonical file with sha256 {digest}; "
            f"expected {dataset.sha256} ({paths.REGISTRY})"
        )
