"""Batches of text worked on by several processes, here or on a cluster, and taken in order."""

import hashlib
import itertools
import multiprocessing
import os
import platform
import sys
import threading
import unicodedata
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from keras_repro.core import paths
from keras_repro.core.errors import ReproError

# Batches that wait for each worker: enough to keep it busy, few enough to stay out of the memory.
BATCHES_PER_WORKER = 4
# Seconds in which the scheduler of a cluster must answer.
ANSWER_TIMEOUT = 10
# Packages whose version decides what a worker's text stages compute.
PACKAGES = ("jieba", "numpy", "opencc", "pyarrow", "rjieba")

Batch = TypeVar("Batch")
Result = TypeVar("Result")


class Workers(NamedTuple):
    """An executor and how many batches it works on at once."""

    executor: Executor
    size: int

    def in_order(
        self, work: Callable[[Batch], Result], batches: Iterable[Batch]
    ) -> Iterator[tuple[Batch, Result]]:
        """Yield each batch with what `work` made of it, in the order of the batches.

        Only a few batches are held at a time. One that is alone is worked on here: to start a
        process takes longer.
        """
        batches = iter(batches)
        first = list(itertools.islice(batches, 2))
        if isinstance(self.executor, ProcessPoolExecutor) and len(first) == 1:
            yield first[0], work(first[0])
            return
        waiting: deque[tuple[Batch, Future[Result]]] = deque()
        for batch in itertools.chain(first, batches):
            waiting.append((batch, self.executor.submit(work, batch)))
            if len(waiting) >= self.size * BATCHES_PER_WORKER:
                yield _result(*waiting.popleft())
        while waiting:
            yield _result(*waiting.popleft())


def _result(batch: Batch, future: Future[Result]) -> tuple[Batch, Result]:
    return batch, future.result()


@contextmanager
def workers(cluster: str | None) -> Iterator[Workers]:
    """Yield a process for each core that this process may use, or the workers of a cluster.

    Args:
        cluster: the address of a Dask scheduler, or None for this machine.

    Raises:
        ReproError: a process was killed; nobody answers at the address, or not with the same code.

    """
    with _local() if cluster is None else _remote(cluster) as found:
        yield found


@contextmanager
def _local() -> Iterator[Workers]:
    # macOS does not say which cores a process may use.
    count = len(os.sched_getaffinity(0)) if sys.platform != "darwin" else os.cpu_count() or 1
    context = multiprocessing.get_context("spawn")  # a forked child inherits Arrow's locked threads
    pool = ProcessPoolExecutor(count, context, initializer=_end_with_parent)
    try:
        yield Workers(pool, count)
    except BrokenProcessPool:
        raise ReproError(
            "a worker process was killed, perhaps for want of memory; run again"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _end_with_parent() -> None:
    """End this worker when its parent is killed; otherwise it would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


@contextmanager
def _remote(address: str) -> Iterator[Workers]:
    with connected(address) as client:
        from distributed.scheduler import KilledWorker

        count = sum(client.nthreads().values())
        try:
            yield Workers(client.get_executor(), count)
        except KilledWorker as error:
            raise ReproError(f"{address}: {error}; run again with more memory per worker") from None


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """Yield a client of a Dask scheduler that has workers, all with the same code.

    Raises:
        ReproError: nobody answers at the address, or with other code; Dask is not installed.

    """
    try:
        import distributed
    except ImportError:
        raise ReproError(
            f"{paths.PARAMS}: cluster is {address!r}, and the package distributed is not "
            "installed; expected it (`pip install keras-repro[cluster]`) or null"
        ) from None
    client: Any  # distributed has annotations for some of it only
    try:
        client = distributed.Client(  # type: ignore[no-untyped-call]
            address, timeout=ANSWER_TIMEOUT, set_as_default=False
        )
    except (OSError, ValueError) as error:
        raise ReproError(
            f"{paths.PARAMS}: cluster is {address!r}, and no Dask scheduler answers there "
            f"within {ANSWER_TIMEOUT} s ({error}); expected one (`dask scheduler`) or null"
        ) from None
    with client:
        if not client.nthreads():
            raise ReproError(
                f"{paths.PARAMS}: cluster is {address!r}, whose scheduler has no worker; "
                f"expected at least one (`dask worker {address}`)"
            )
        _refuse_others(client, address)
        yield client


def _refuse_others(client: Any, address: str) -> None:
    """Refuse workers that would compute something else, or nothing at all."""
    expected = identity()
    found = {f"worker {name}": told for name, told in _identities(client).items()}
    try:
        found["scheduler"] = client.run_on_scheduler(identity)  # it unpacks the tasks as well
    except ImportError as error:
        found["scheduler"] = error
    for who, answer in sorted(found.items()):
        if isinstance(answer, Exception):
            raise ReproError(
                f"{address}: the {who} cannot import this project ({answer}); expected it to be "
                "started with PYTHONPATH naming a checkout of the same commit"
            )
        for name, value in expected.items():
            if answer[name] != value:
                raise ReproError(
                    f"{address}: the {who} has {name} {answer[name]}; expected {value} as here"
                )


def _identities(client: Any) -> dict[str, Any]:
    """Return what each worker is, or the exception that it raised."""
    answers: dict[str, Any] = client.run(identity, on_error="return")
    return answers


def identity() -> dict[str, str | None]:
    """Return all that could make the text stages of this process give other bytes."""
    code = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        code.update(path.read_bytes())
    return {
        "python": platform.python_version(),
        "unicode": unicodedata.unidata_version,
        "byte order": sys.byteorder,
        "code of keras_repro/text with sha256": code.hexdigest(),
        **{name: _version(name) for name in PACKAGES},
    }


def _version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
