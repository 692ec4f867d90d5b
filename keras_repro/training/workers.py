"""Who trains a model together: the chief calls the workers, or has a Dask cluster start them."""

import logging
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, NamedTuple

from keras_repro.core import files, params, paths
from keras_repro.core.errors import ReproError
from keras_repro.text import parallel
from keras_repro.training.peers import PATIENCE, Group, Peer

log = logging.getLogger(__name__)

SERVE = [sys.executable, "-m", "stages.train", "--worker"]
FOLLOW = [sys.executable, "-m", "stages.train", "--connection"]


@contextmanager
def leading(name: str, settings: params.Params) -> Iterator[Group | None]:
    """Yield the group of the chief of a training; None where there are no workers.

    Args:
        name: of the model.
        settings: say who the workers are.

    Raises:
        ReproError: one of them does not answer.

    """
    if settings.workers is None:
        yield None
        return
    with ExitStack() as closing:
        addresses: Sequence[str] = settings.workers
        if settings.workers == "cluster":
            addresses = closing.enter_context(_started(settings.cluster))
        peers: list[Peer] = []
        for address in addresses:
            peers.append(Peer(f"worker {address}", _called(address), calls=True))
            closing.callback(peers[-1].close)
        job = {"name": name, "size": len(peers) + 1, "params": paths.PARAMS.read_text("utf-8")}
        for rank, peer in enumerate(peers, start=1):
            peer.send(job | {"rank": rank})
        yield Group(0, len(peers) + 1, peers, paths.CACHE)


@contextmanager
def _started(cluster: str | None) -> Iterator[list[str]]:
    """Yield the addresses of workers that run beside those of a Dask cluster, one beside each."""
    if cluster is None:
        raise ReproError(
            f"{paths.PARAMS}: workers is cluster, and cluster null; "
            "expected the address of a Dask scheduler"
        )
    with parallel.connected(cluster) as client:
        found: dict[str, tuple[str, int]] = client.run(_start)
        try:
            yield sorted(address for address, _ in found.values())
        finally:
            for place, (_, number) in found.items():
                client.run(_stop, number, workers=[place])


def _start(dask_worker: Any) -> tuple[str, int]:
    """Start a worker on the machine of a Dask worker; return its address and its process."""
    host, _ = _place(dask_worker.address)
    with socket.create_server((host, 0)) as free:
        address = f"tcp://{host}:{free.getsockname()[1]}"
    started = subprocess.Popen([*SERVE, address], cwd=paths.ROOT, start_new_session=True)
    return address, started.pid


def _stop(number: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(number, signal.SIGTERM)


def _called(address: str) -> socket.socket:
    """Return a connection to a worker, which may need a moment to start."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return socket.create_connection(_place(address), timeout=PATIENCE)
        except OSError as error:
            if not isinstance(error, ConnectionRefusedError) or time.monotonic() > end:
                raise ReproError(
                    f"{paths.PARAMS}: workers has {address}, and nobody answers there ({error}); "
                    f"expected a worker (`python -m stages.train --worker {address}` there)"
                ) from None
            time.sleep(1)


class Job(NamedTuple):
    """What a chief wants of a worker.

    Attributes:
        name: of the model.
        settings: the chief's params.yaml.
        group: of the training.

    """

    name: str
    settings: params.Params
    group: Group


def serve(address: str) -> None:
    """Train with whoever calls at an address, one model after another, each in a new process.

    Raises:
        ReproError: it cannot be listened to.

    """
    try:
        server = socket.create_server(_place(address))
    except OSError as error:
        raise ReproError(
            f"{address}: cannot be listened to ({error}); expected a free port of this machine"
        ) from None
    with server:
        log.info("%s: waiting for a chief", address)
        while True:
            caller, _ = server.accept()
            with caller:
                number = caller.fileno()
                subprocess.run([*FOLLOW, str(number)], pass_fds=[number], check=False)


@contextmanager
def following(number: int) -> Iterator[Job]:
    """Yield what a chief wants, who is told if it fails.

    Args:
        number: of the open connection to it.

    """
    tcp = socket.socket(fileno=number)
    peer = Peer(f"chief {tcp.getpeername()[0]}", tcp, calls=False)
    job, _ = peer.receive()
    with files.scratch() as scratch:
        try:
            (scratch / paths.PARAMS).write_text(job["params"], encoding="utf-8")
            settings = params.load(scratch / paths.PARAMS)
            yield Job(job["name"], settings, Group(job["rank"], job["size"], [peer], scratch))
        except ReproError as error:
            with suppress(ReproError):
                peer.send({"fault": str(error)})
            raise


def _place(address: str) -> tuple[str, int]:
    host, _, port = address.removeprefix("tcp://").rpartition(":")
    return host.strip("[]"), int(port)
