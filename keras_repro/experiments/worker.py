"""What a worker does: it runs an experiment of a grid in a clone of its own."""

import functools
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from keras_repro.core import files, paths
from keras_repro.core.errors import ReproError
from keras_repro.experiments.grid import Experiment
from keras_repro.reproducibility import lock, verification

ATTEMPTS = 3  # as many as Dask gives a task whose workers die
KILLED = range(129, 129 + 64)  # exit statuses that name a signal; DVC itself has 255
STAGE_KILLED = "exited with -9"  # as DVC says it
WORKSPACE = "refs/keras-repro/workspace"  # in a bundle: what each experiment begins with
TETHERED = (sys.executable, "-m", "keras_repro.experiments.tether", sys.executable, "-m", "dvc")

_running: dict[Path, set[subprocess.Popen[bytes]]] = {}


class Job(NamedTuple):
    """An experiment and what it begins with.

    Attributes:
        experiment: what to run.
        targets: as `dvc exp run` takes them.
        commit: the baseline.
        author: Git's settings that say who it is; empty where they say nothing.

    """

    experiment: Experiment
    targets: list[str]
    commit: str
    author: dict[str, str]


class Outcome(NamedTuple):
    """What became of a job.

    Attributes:
        fault: what a stage or DVC said, if it failed.
        bundle: of Git, with the experiment.
        objects: the content of those of its outputs that the baseline has not, by hash.

    """

    fault: str | None
    bundle: bytes = b""
    objects: dict[str, bytes] | None = None


def space(commit: str) -> str:
    """Return below which name Git has the experiments of a baseline, as DVC decides it."""
    return f"refs/exps/{commit[:2]}/{commit[2:]}"


def run(bundle: Path, cache: Path, job: Job) -> Outcome:
    """Run an experiment, again if it is killed, until `end` is called for its bundle.

    Args:
        bundle: of Git, with the commit and `WORKSPACE`; the clone lies beside it meanwhile.
        cache: of DVC, which the clone shares.
        job: the experiment.

    """
    changes = [part for change in job.experiment.changes for part in ("-S", change)]
    for _ in range(ATTEMPTS):
        with tempfile.TemporaryDirectory(dir=bundle.parent, ignore_cleanup_errors=True) as place:
            clone = Path(place, "clone")
            _clone(bundle, clone, cache, job)
            known = _hashes(clone, cache)
            _dvc(bundle, clone, "checkout", "--allow-missing", "--with-deps", *job.targets)
            status, said = _dvc(
                bundle, clone, "exp", "run", "--name", job.experiment.name, *changes, *job.targets
            )
            if status == 0:
                made = _hashes(clone, cache) - known
                objects = {md5: lock.cached(cache, md5).read_bytes() for md5 in made}
                return Outcome(None, _packed(clone, job), objects)
        killed = status in KILLED or STAGE_KILLED in said
        if not (killed and bundle.exists()):
            return Outcome(_fault(said))
    return Outcome(f"was killed {ATTEMPTS} times; expected more memory, or fewer at once")


def run_on_cluster(bundle: str, job: Job) -> Outcome:
    """Run an experiment where a Dask worker has its files."""
    import distributed

    return run(Path(distributed.get_worker().local_directory, bundle), own_cache(), job)


def end(bundle: Path) -> None:
    """Remove a bundle, and end what runs with it."""
    bundle.unlink(missing_ok=True)
    for process in list(_running.get(bundle, ())):
        _let_go(process)


def end_on_cluster(bundle: str, dask_worker: Any) -> None:
    """Remove a bundle from a Dask worker, and end what runs there with it."""
    end(Path(dask_worker.local_directory, bundle))


@functools.cache
def own_cache() -> Path:
    """Return DVC's cache of the checkout whose code this is."""
    return verification.cache_of(paths.ROOT)


def lacking(hashes: Iterable[str]) -> list[str]:
    """Return what this checkout's cache does not have."""
    return [md5 for md5 in hashes if not lock.cached(own_cache(), md5).is_file()]


def keep(cache: Path | None, md5: str, content: bytes) -> None:
    """Put a content into a cache of DVC, or into this checkout's own.

    Raises:
        ReproError: it has not the hash, for it was damaged on its way.

    """
    path = lock.cached(cache or own_cache(), md5)
    if path.is_file():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with files.replacing(path) as temporary:
        temporary.write_bytes(content)
        if (found := files.md5(temporary)) != md5.removesuffix(".dir"):
            raise ReproError(f"{path}: came with the hash {found}; expected {md5}")


def with_files(hashes: Iterable[str], cache: Path) -> Iterator[str]:
    """Yield those of some hashes that a cache has, and after a directory's those of its files."""
    for md5 in hashes:
        path = lock.cached(cache, md5)
        if path.is_file():
            yield md5
            if md5.endswith(".dir"):
                listed = [entry["md5"] for entry in json.loads(path.read_text("utf-8"))]
                yield from with_files(listed, cache)


def _clone(bundle: Path, clone: Path, cache: Path, job: Job) -> None:
    """Make a clone at the baseline that has in its workspace what is not committed, too."""

    def git(*arguments: str) -> None:
        verification.output_of("git", *arguments, cwd=clone)

    clone.mkdir()
    git("init", "--quiet")
    git("fetch", "--quiet", str(bundle), WORKSPACE)
    git("checkout", "--quiet", "--detach", job.commit)
    git("read-tree", "--reset", "-u", "FETCH_HEAD")
    for key, value in job.author.items():
        if value:
            git("config", key, value)
    (clone / ".dvc/config.local").write_text(f"[cache]\n    dir = {cache}\n", encoding="utf-8")


def _dvc(bundle: Path, clone: Path, *arguments: str) -> tuple[int, str]:
    """Run DVC until `end` is called; return its exit status, and what it said."""
    log = clone.with_name("log")
    # Dask sets OMP_NUM_THREADS and the like, which `dvc exp run` would not have.
    own = verification.environment().items()
    with log.open("wb") as said:
        process = subprocess.Popen(
            [*TETHERED, *arguments],
            cwd=clone,
            env={key: value for key, value in own if not key.endswith("_NUM_THREADS")},
            stdin=subprocess.PIPE,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    others = _running.setdefault(bundle, set())
    others.add(process)
    if not bundle.exists():
        _let_go(process)
    status = process.wait()
    others.discard(process)
    _let_go(process)
    return 128 - status if status < 0 else status, log.read_text("utf-8", "replace")


def _let_go(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()


def _fault(said: str) -> str:
    """Return the messages of a stage that failed, or else of DVC."""
    for kind in ("error: ", "ERROR: "):
        if found := re.findall(f"^{kind}(.*)$", said, re.MULTILINE):
            return "; ".join(found)
    return "\n".join(said.strip().splitlines()[-10:])


def _packed(clone: Path, job: Job) -> bytes:
    """Return a bundle with the experiment."""
    path = clone.with_name("experiment.bundle")
    reference = f"{space(job.commit)}/{job.experiment.name}"
    command = ("git", "bundle", "create", "--quiet", str(path), reference, f"^{job.commit}")
    verification.output_of(*command, cwd=clone)
    return path.read_bytes()


def _hashes(clone: Path, cache: Path) -> set[str]:
    """Return the hashes in a clone's locks of which the cache has the content."""
    return set(with_files([output.md5 for output in lock.outputs(clone).values()], cache))
