"""Run a grid of DVC experiments on several workers, each in a clone of its own."""

import hashlib
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, Future, wait
from concurrent.futures.thread import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

from keras_repro.core import files, paths
from keras_repro.core.errors import ReproError
from keras_repro.experiments import grid, worker
from keras_repro.reproducibility import lock, rotation, verification
from keras_repro.reproducibility.exact import fingerprint
from keras_repro.text import parallel

log = logging.getLogger(__name__)

LOOK = 5  # seconds between two looks at who is there
LOST = (
    f"{paths.PARAMS}: the scheduler of cluster is lost; expected it to go on "
    "(the experiments that came are there)"
)
# Those of which a worker must have the same version.
PACKAGES = (*fingerprint.PACKAGES, "dvc")


class Workers(NamedTuple):
    """Those who run experiments.

    Attributes:
        executor: hands the experiments out.
        run: what runs one of them.
        alive: tells whether there are any.

    """

    executor: Executor
    run: Callable[[worker.Job], worker.Outcome]
    alive: Callable[[], object]


def run(changes: Sequence[str], targets: list[str], name: str | None, jobs: int) -> None:
    """Run a grid of experiments and leave each in this repository, as `dvc exp run` does.

    Args:
        changes: of parameters; several values after a comma are a choice.
        targets: as `dvc exp run` takes them.
        name: what the experiments' names begin with; None has DVC find one for each.
        jobs: how many run at once, at least 1, where params.yaml names no cluster.

    Raises:
        ReproError: a change, a target, a name or the cluster is not as expected; or some
            experiments failed, while the others are there.

    """
    if jobs < 1:
        raise ReproError(f"--jobs: is {jobs}; expected at least 1")
    commit = _git("rev-parse", "HEAD")
    stages = _stages(targets)
    space = worker.space(commit)
    taken = _git("for-each-ref", "--format=%(refname:lstrip=4)", space).split()
    points = grid.expanded(changes, name, set(taken))
    for experiment in points.experiments:
        log.info("%s: %s", experiment.name, " ".join(experiment.changes))
    if changed := verification.uncommitted(Path.cwd()):
        log.warning("each begins with what is not committed, too: %s", ", ".join(changed))
    author = {key: _git("config", "--default", "", key) for key in ("user.name", "user.email")}
    cache = verification.cache_of(Path.cwd())
    with files.scratch() as scratch:
        bundle = _bundled(commit, scratch.absolute())
        with _workers(points.cluster, jobs, bundle, cache, stages) as workers:
            waiting = {
                workers.executor.submit(
                    workers.run, worker.Job(experiment, targets, commit, author)
                ): experiment
                for experiment in points.experiments
            }
            failed = list(_collected(waiting, workers, space, scratch, cache))
    if failed:
        raise ReproError(
            "\n".join([f"{len(failed)} of {len(points.experiments)} experiments failed", *failed])
        )


def _stages(targets: Sequence[str]) -> list[str]:
    """Return the stages that targets name."""
    command = [sys.executable, "-m", "dvc", "stage", "list", "--name-only", *targets]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        told = result.stderr.strip().removeprefix("ERROR: ").splitlines()
        raise ReproError(f"dvc.yaml: {told[0]}; expected a stage such as those of `dvc stage list`")
    return result.stdout.split()


def _bundled(commit: str, directory: Path) -> Path:
    """Return a bundle of a commit and of what is not committed, in a directory."""
    git = partial(verification.output_of, "git", cwd=directory / "git")
    nobody = ("-c", "user.name=nobody", "-c", "user.email=nobody")  # no one sees that commit
    workspace = _git(*nobody, "stash", "create") or commit
    _git("clone", "--quiet", "--bare", "--shared", ".", str(directory / "git"))
    git("update-ref", worker.WORKSPACE, workspace)
    # On a cluster it lies beside those of others.
    bundle = directory / f"sweep-{directory.name}-{commit[:12]}.bundle"
    git("bundle", "create", "--quiet", str(bundle), worker.WORKSPACE)
    return bundle


@contextmanager
def _workers(
    cluster: str | None, jobs: int, bundle: Path, cache: Path, stages: list[str]
) -> Iterator[Workers]:
    if cluster is not None:
        with _on_cluster(cluster, bundle, cache, stages) as workers:
            yield workers
        return
    with ThreadPoolExecutor(jobs) as pool:
        try:
            yield Workers(pool, partial(worker.run, bundle, cache), lambda: True)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
            worker.end(bundle)


@contextmanager
def _on_cluster(address: str, bundle: Path, cache: Path, stages: list[str]) -> Iterator[Workers]:
    with parallel.connected(address) as client:
        from distributed.diagnostics.plugin import UploadFile

        _refuse_others(client, address)
        # It shows how it closes where the scheduler is lost.
        logging.getLogger("distributed.client").setLevel(logging.CRITICAL)
        # Dask gives the file to each worker that comes later, too.
        client.register_plugin(UploadFile(str(bundle), load=False), name=bundle.name)
        try:
            recorded = lock.outputs(Path.cwd())
            needed = rotation.with_needs(stages, rotation.locks(Path.cwd(), "HEAD"))
            _send(client, [out.md5 for out in recorded.values() if out.stage in needed], cache)
            yield Workers(
                client.get_executor(pure=False),
                partial(worker.run_on_cluster, bundle.name),
                client.nthreads,
            )
        finally:
            with suppress(OSError, RuntimeError):  # without a scheduler nobody is left to be told
                client.unregister_worker_plugin(bundle.name)
                client.run(worker.end_on_cluster, bundle.name)


def _refuse_others(client: Any, address: str) -> None:
    """Refuse workers whose experiments would be others."""
    expected = identity()
    for who, told in sorted(client.run(identity, on_error="return").items()):
        if isinstance(told, Exception):
            raise ReproError(
                f"{address}: the worker {who} cannot run experiments ({told}); expected it to be "
                "started with PYTHONPATH naming a checkout of the same commit"
            )
        for name, there, here in fingerprint.differences(told, expected):
            raise ReproError(
                f"{address}: the worker {who} has {name} {there}; expected {here} as here"
            )


def identity() -> dict[str, str]:
    """Return what must be the same where an experiment is run."""
    code = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        code.update(path.read_bytes())
    return {
        "code of keras_repro/experiments with sha256": code.hexdigest(),
        **{name: metadata.version(name) for name in PACKAGES},
    }


def _send(client: Any, hashes: Sequence[str], cache: Path) -> None:
    """Give each worker's checkout the outputs that it lacks, so that no stage makes them again."""
    have = list(worker.with_files(hashes, cache))
    for place in client.nthreads():
        missing = client.run(worker.lacking, have, workers=[place])[place]
        for md5 in tqdm(missing, desc=f"data for {place}", unit=" files", disable=None):
            content = lock.cached(cache, md5).read_bytes()
            client.run(worker.keep, None, md5, content, workers=[place])


def _collected(
    waiting: dict[Future[worker.Outcome], grid.Experiment],
    workers: Workers,
    space: str,
    scratch: Path,
    cache: Path,
) -> Iterator[str]:
    """Take each experiment over as it comes; yield what those say that failed."""
    count, lonely = len(waiting), False
    with tqdm(total=count, desc="sweep", unit=" experiments", disable=None) as bar:
        while waiting:
            done, _ = wait(waiting, timeout=LOOK, return_when=FIRST_COMPLETED)
            bar.refresh()
            if not (done or lonely or _alive(workers)):
                log.warning("the cluster has no worker left; the experiments wait for one")
                lonely = True
            for future in done:
                experiment = waiting.pop(future)
                outcome = _outcome(future)
                if outcome.fault is None:
                    _take(outcome, f"{space}/{experiment.name}", scratch, cache)
                else:
                    yield f"{experiment.name}: {outcome.fault}"
                bar.update()
                log.info(
                    "%s %s, %d of %d", experiment.name,
                    "failed" if outcome.fault else "is there", count - len(waiting), count,
                )  # fmt: skip


def _alive(workers: Workers) -> object:
    try:
        return workers.alive()
    except (OSError, RuntimeError):  # of a client that was closed meanwhile
        raise ReproError(LOST) from None


def _outcome(future: Future[worker.Outcome]) -> worker.Outcome:
    try:
        return future.result()
    except CancelledError:
        raise ReproError(LOST) from None
    except Exception as error:  # noqa: BLE001 - whatever it was, the others come all the same
        return worker.Outcome(f"{type(error).__name__}: {error}")


def _take(outcome: worker.Outcome, reference: str, scratch: Path, cache: Path) -> None:
    """Put an experiment into this repository, its outputs first."""
    for md5, content in (outcome.objects or {}).items():
        worker.keep(cache, md5, content)
    path = scratch / "experiment.bundle"
    path.write_bytes(outcome.bundle)
    _git("fetch", "--quiet", str(path), f"{reference}:{reference}")


def _git(*arguments: str) -> str:
    return verification.output_of("git", *arguments, cwd=Path.cwd()).strip()
