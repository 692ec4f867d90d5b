"""What the processes say to each other that train a model together: a chief and its workers.

Python's multiprocessing.connection carries the messages. Each is JSON and arrays, and nothing is
unpickled. A fault of a worker, of the chief or of the network between them leads to one message
that names who is lost. docs/scaling.md says why these are not TensorFlow's collectives.
"""

import json
import os
import socket
import struct
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from multiprocessing import AuthenticationError, connection
from pathlib import Path
from typing import Any

import numpy as np

from keras_repro.core import files
from keras_repro.core.errors import ReproError
from keras_repro.reproducibility.exact import fingerprint

# Seconds without a sign of life after which a process is lost. After 20 s without a network TCP
# tries again within another 26.
PATIENCE = 60
HEARTBEAT = 2  # seconds
KEY = "WORKERS_KEY"  # a variable with a secret that all machines share; none admits whoever calls

Message = tuple[dict[str, Any], list[np.ndarray]]


class Peer:
    """Another process of a training.

    Args:
        name: what messages call it.
        tcp: the connection.
        calls: whether this process called.

    Raises:
        ReproError: from here on, if the other process is lost, or reports a fault.

    """

    def __init__(self, name: str, tcp: socket.socket, *, calls: bool) -> None:
        self.name = name
        self._sending = threading.Lock()
        tcp.settimeout(None)  # Python's own would need another way to read
        tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            tcp.setsockopt(socket.SOL_SOCKET, option, struct.pack("ll", PATIENCE, 0))
        self._connection = connection.Connection(tcp.detach())
        with self._faults():
            if key := os.environ.get(KEY, "").encode():
                # Each asks the other to prove that it has the key.
                ask, prove = connection.deliver_challenge, connection.answer_challenge
                for part in (prove, ask) if calls else (ask, prove):
                    part(self._connection, key)
        threading.Thread(target=self._beat, daemon=True).start()

    def send(self, told: dict[str, Any], arrays: Sequence[np.ndarray] = ()) -> None:
        """Send a message."""
        kinds = [(array.dtype.str, array.shape) for array in arrays]
        with self._faults(), self._sending:
            self._connection.send_bytes(json.dumps([told, kinds]).encode())
            for array in arrays:
                flat = np.ascontiguousarray(array).reshape(-1)
                self._connection.send_bytes(flat.view(np.uint8).data)

    def receive(self) -> Message:
        """Wait for a message."""
        with self._faults():
            while not (header := self._connection.recv_bytes()):
                pass  # a heartbeat
            told, kinds = json.loads(header)
            arrays = [
                np.frombuffer(self._connection.recv_bytes(), kind).reshape(shape)
                for kind, shape in kinds
            ]
        if fault := told.get("fault"):
            raise ReproError(f"{self.name}: {fault}")
        return told, arrays

    def close(self) -> None:
        """Let the other process go."""
        self._connection.close()

    def _beat(self) -> None:
        """Say every now and then that this process lives, however long a step takes."""
        with suppress(OSError):  # as of a closed connection
            while True:
                time.sleep(HEARTBEAT)
                with self._sending:
                    self._connection.send_bytes(b"")

    @contextmanager
    def _faults(self) -> Iterator[None]:
        again = "expected it to go on (`dvc repro` goes on after the last whole epoch)"
        try:
            yield
        except BlockingIOError:
            raise ReproError(
                f"{self.name}: gave no sign of life for {PATIENCE} s; {again}"
            ) from None
        except (EOFError, OSError) as error:
            reason = str(error) or "it closed the connection"
            raise ReproError(f"{self.name}: is lost ({reason}); {again}") from None
        except (ValueError, TypeError, AuthenticationError) as error:
            raise ReproError(
                f"{self.name}: is no process of this training ({error}); expected one with the "
                f"same code, and the same {KEY} in its environment or none"
            ) from None


class Group:
    """The processes of a training, as one of them sees them.

    Args:
        rank: of this process; 0 is the chief.
        size: the number of processes.
        peers: of the chief all workers in the order of their ranks, of a worker the chief.
        scratch: a directory where a worker may keep what goes with it.

    """

    def __init__(self, rank: int, size: int, peers: Sequence[Peer], scratch: Path) -> None:
        self.rank, self.size, self.scratch = rank, size, scratch
        self._peers = peers
        self._pool = ThreadPoolExecutor(len(peers))

    @property
    def names(self) -> list[str]:
        """What messages call the others."""
        return [peer.name for peer in self._peers]

    def gathered(self, told: dict[str, Any], arrays: Sequence[np.ndarray] = ()) -> list[Message]:
        """Return to the chief what each worker sends, and to a worker nothing."""
        if self.rank:
            self._peers[0].send(told, arrays)
            return []
        return list(self._pool.map(Peer.receive, self._peers))

    def heard(self, told: dict[str, Any], arrays: Sequence[np.ndarray] = ()) -> Message:
        """Return to each what the chief says; what a worker gives is not looked at."""
        if self.rank:
            return self._peers[0].receive()
        list(self._pool.map(lambda peer: peer.send(told, arrays), self._peers))
        return told, list(arrays)

    def agreed(self, origin: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """Return the chief's origin of a training, as `checkpoint.origin` has it.

        Raises:
            ReproError: this worker has another, and would compute something else.

        """
        chief: dict[str, dict[str, Any]] = self.heard({"origin": origin})[0]["origin"]
        own = json.loads(json.dumps(origin))
        for kind, theirs in chief.items():
            decisive = fingerprint.decisive if kind == "packages or hardware" else dict
            pair = decisive(theirs), decisive(own[kind])
            for key, there, here in fingerprint.differences(*pair):
                raise ReproError(f"has other {kind}: {key} is {here!r}; the chief has {there!r}")
        return chief

    def share(self, path: Path) -> None:
        """Give each worker a copy of a file, which may not be there: each has its own path."""
        found = [path.read_bytes()] if self.rank == 0 and path.exists() else []
        _, arrays = self.heard({}, [np.frombuffer(content, np.uint8) for content in found])
        if self.rank and arrays:
            files.write_bytes(path, arrays[0].tobytes())
