"""From the sources of a dataset to its one canonical file."""

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa

from stages import ReproError, files, paths
from stages.datasets import (
    cifar10_binary,
    cifar10_png,
    fetching,
    images,
    labelled_reviews,
    mnist_idx,
    npz,
    reviews,
    snownlp,
)
from stages.datasets.registry import Dataset, MirrorSource, NpmSource, Source, UrlSource
from stages.params import Download

IMAGE_FORMATS: dict[str, Callable[[Path], images.Images]] = {
    "npz": npz.parse,
    "mnist_idx": mnist_idx.parse,
    "cifar10_binary": cifar10_binary.parse,
    "cifar10_png": cifar10_png.parse,
}
REVIEW_FORMATS: dict[str, Callable[[Path, str], Iterator[pa.RecordBatch]]] = {
    "parquet": lambda path, _: files.read_parquet(path, reviews.SCHEMA),
    "snownlp": lambda path, _: snownlp.parse(path),
    "labelled_reviews": labelled_reviews.parse,
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
        _report(f"{target}: already here, {files.sized(target)}")
        return
    failures = []
    for source in dataset.sources:
        described = fetching.describe(source)
        _report(f"{target}: trying {described}")
        try:
            _from_source(source, dataset, target, patience, name)
        except ReproError as error:
            failures.append(f"  {described}: {error}")
            _report(failures[-1])
        else:
            _report(f"{target}: {files.sized(target)}, sha256 as in {paths.REGISTRY}")
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
        files.write_parquet(target, reviews.SCHEMA, batches)
    else:
        known = ", ".join([*IMAGE_FORMATS, *REVIEW_FORMATS])
        raise ReproError(f"{paths.REGISTRY}: no format {form!r}; expected one of {known}")
    digest = files.sha256(target)
    if digest != dataset.sha256:
        raise ReproError(
            f"{path.name} turned into a canonical file with sha256 {digest}; "
            f"expected {dataset.sha256} ({paths.REGISTRY})"
        )


def _report(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - the stage's progress
