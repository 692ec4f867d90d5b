"""A directory with all that answering with a model needs, and nothing else.

`bundle.json` says what the model takes and how its answers are called, and has the SHA-256 of each
other file; `model.onnx` is the network. A bundle may be copied anywhere: nothing in it refers to
the project.
"""

import ctypes
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError

from keras_repro.core import files, paths
from keras_repro.core.errors import ReproError
from keras_repro.core.params import Section
from keras_repro.inputs.images import ImageReading
from keras_repro.inputs.ngrams import NgramReading
from keras_repro.inputs.words import WordReading

FORMAT = 5
MANIFEST = "bundle.json"
NETWORK = "model.onnx"
# Of <fcntl.h> and <linux/fs.h>.
AT_FDCWD, RENAME_EXCHANGE = -100, 2
AGAIN = "`dvc repro` makes it again"


class Measured(Section):
    """What a model learned from, and how well it did on the test split of that.

    Attributes:
        corpora: the names of the datasets, or of the files.
        n_test: items of the test split.
        f1: on these, of reviews with a threshold of one half.

    """

    corpora: Annotated[tuple[str, ...], Field(strict=False)]
    n_test: int
    f1: float


class Manifest(Section):
    """What a bundle says of itself.

    Attributes:
        format: of the bundle; this code reads `FORMAT`.
        model: its name in params.yaml.
        reads: how the model reads a text or a picture.
        labels: of its classes, in the order of the logits.
        threshold: the probability of the second class from which on it is said; None where there
            are more than two.
        measured: on the test split.
        requires: packages in whose other versions the same text would be read otherwise.
        files: the SHA-256 of each other file.

    """

    format: int
    model: str
    reads: Annotated[ImageReading | WordReading | NgramReading, Field(discriminator="kind")]
    labels: Annotated[tuple[str, ...], Field(strict=False)]
    threshold: float | None
    measured: Measured
    requires: dict[str, str]
    files: dict[str, str]


class Bundle:
    """A bundle whose files are all there and as they were written.

    Args:
        directory: where it lies.

    Raises:
        ReproError: it is none, of another format, or a file of it is missing, altered or not
            listed, or a package is of another version than it needs.

    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        while True:
            self.manifest = read_manifest(directory)
            try:
                _check_files(directory, self.manifest.files)
                break
            except (ReproError, OSError):
                if read_manifest(directory) == self.manifest:  # not replaced meanwhile
                    raise
        for package, version in self.manifest.requires.items():
            _check_version(directory, package, version)

    def path(self, name: str) -> Path:
        """Return where a file of the bundle lies."""
        return self.directory / name


def located(name: str) -> Path:
    """Return where the bundle of a model lies: below this directory or beside the package.

    Raises:
        ReproError: neither has one.

    """
    places = [Path.cwd(), paths.ROOT]
    for root in places:
        if (root / paths.bundle(name)).is_dir():
            return root / paths.bundle(name)
    models = {path.parent.name for root in places for path in root.glob("models/*/bundle")}
    known = ", ".join(sorted(models)) or "none"
    if any((root / paths.PARAMS).is_file() for root in places):
        advice = "`make repro` makes all"
    else:
        advice = (
            "go into a clone where `make repro` has made them, or name one by --bundle DIR or "
            "Sentiment.load(DIR); `keras-repro pull ADDRESS` fetches those of a release"
        )
    raise ReproError(
        f"{paths.bundle(name)}: not found; expected a bundle (there are: {known}; {advice})"
    )


def read_manifest(directory: Path) -> Manifest:
    """Return what a bundle says of itself, its other files unseen.

    Raises:
        ReproError: there is none, or it is of another format.

    """
    path = directory / MANIFEST
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        version = content["format"]
    except (FileNotFoundError, NotADirectoryError):
        raise ReproError(f"{path}: not found; expected a bundle ({AGAIN})") from None
    except (ValueError, TypeError, KeyError):
        raise ReproError(f"{path}: not as `export` writes it ({AGAIN})") from None
    if version != FORMAT:
        raise ReproError(f"{path}: format is {version!r}; expected {FORMAT} ({AGAIN})")
    try:
        return Manifest.model_validate(content)
    except ValidationError as error:
        fault = error.errors()[0]
        key = ".".join(map(str, fault["loc"]))
        raise ReproError(f"{path}: {key}: {fault['msg']} ({AGAIN})") from None


def _check_files(directory: Path, listed: dict[str, str]) -> None:
    """Compare the files of a directory with those that its manifest lists.

    One that it does not list could hold weights, since a network may refer to a file beside it.
    """
    if NETWORK not in listed:
        raise ReproError(f"{directory / MANIFEST}: does not list {NETWORK}; expected it ({AGAIN})")
    for name in sorted({path.name for path in directory.iterdir()} - {*listed, MANIFEST}):
        raise ReproError(f"{directory / name}: not listed in {MANIFEST}; expected nothing else")
    for name, expected in listed.items():
        path = directory / name
        if not path.is_file():
            raise ReproError(f"{path}: not found; expected what {MANIFEST} lists ({AGAIN})")
        if (found := files.sha256(path)) != expected:
            raise ReproError(
                f"{path}: has the SHA-256 {found[:12]}…; {MANIFEST} expects {expected[:12]}… "
                f"({AGAIN})"
            )


def _check_version(directory: Path, package: str, expected: str) -> None:
    try:
        found = metadata.version(package)
    except metadata.PackageNotFoundError:
        found = "not installed"
    if found != expected:
        raise ReproError(
            f"{directory}: {package} is {found}; expected {expected}, with which the model's "
            f"reviews were read (`pip install {package}=={expected}`)"
        )


@contextmanager
def writing(directory: Path) -> Iterator[Path]:
    """Yield an empty directory that takes the place of `directory` if the block succeeds.

    A link stays, and the directory that it names is replaced.
    """
    directory = Path(os.path.realpath(directory))
    fresh = files.temporary_path(directory)
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        yield fresh
        files.before_output()
        _exchange(fresh, directory)
        files.sync_directory(directory.parent)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _exchange(fresh: Path, directory: Path) -> None:
    """Let a directory take the name of another, and that one its own, without a moment between.

    Python's `rename` cannot replace a directory that has files. Where the system cannot exchange
    two, as Linux does, it takes two steps.
    """
    if not directory.exists():
        fresh.rename(directory)
        return
    exchange = getattr(ctypes.CDLL(None), "renameat2", None)
    names = os.fsencode(fresh), os.fsencode(directory)
    if exchange and exchange(AT_FDCWD, names[0], AT_FDCWD, names[1], RENAME_EXCHANGE) == 0:
        return
    former = fresh.with_name(f"{fresh.name}.former")
    directory.rename(former)
    fresh.rename(directory)
    former.rename(fresh)


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Return the installed version of each package."""
    return {name: metadata.version(name) for name in packages}


def seal(directory: Path, manifest: Manifest) -> None:
    """Write the manifest of a directory that has all other files, with their hashes."""
    hashes = {path.name: files.sha256(path) for path in sorted(directory.iterdir())}
    content = manifest.model_copy(update={"files": hashes}).model_dump(mode="json")
    # Not rounded, as metrics are: a threshold between two probabilities must stay there.
    text = json.dumps(content, ensure_ascii=False, indent=2)
    files.write_bytes(directory / MANIFEST, f"{text}\n".encode())
