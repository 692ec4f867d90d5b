"""What two processes need to exchange the gradients of a step: peers and TensorFlow's collectives.

`python -m benchmarks.engines` alternates between both, so that other work on the machine meets both
alike, and then kills a worker and stops one, to see what each says and when.
"""

import argparse
import json
import os
import signal
import socket
import statistics
import subprocess
import sys
import time

import numpy as np

# The dense gradients of sentiment_bilstm, and the embeddings of the words of half a batch.
SHAPES = ((394_240,), (900, 256))
STEPS = 30
PATIENCE = 150  # seconds that are waited for a fault to be told


def arrays(rank: int) -> list[np.ndarray]:
    """Return the gradients of a process."""
    random = np.random.default_rng(rank)
    return [random.normal(size=shape).astype(np.float32) for shape in SHAPES]


def peers(rank: int, port: int) -> "Exchange":
    """Return what exchanges gradients as a training does."""
    from pathlib import Path

    from keras_repro.training.peers import Group, Peer

    if rank:
        with socket.create_server(("127.0.0.1", port)) as server:
            tcp, _ = server.accept()
    else:
        tcp = None
        while tcp is None:
            try:
                tcp = socket.create_connection(("127.0.0.1", port))
            except ConnectionRefusedError:
                time.sleep(0.2)
    group = Group(rank, 2, [Peer(f"rank {1 - rank}", tcp, calls=not rank)], Path())
    own = arrays(rank)

    def exchange() -> None:
        total = own
        for _, theirs in group.gathered({}, own):
            total = [one + other for one, other in zip(own, theirs, strict=True)]
        group.heard({}, total)

    return exchange


def collectives(rank: int, port: int) -> "Exchange":
    """Return what gathers gradients by the collectives of TensorFlow over gRPC."""
    cluster = {"worker": [f"127.0.0.1:{port}", f"127.0.0.1:{port + 1}"]}
    os.environ["TF_CONFIG"] = json.dumps(
        {"cluster": cluster, "task": {"type": "worker", "index": rank}}
    )
    import tensorflow as tf

    options = tf.distribute.experimental.CommunicationOptions(timeout_seconds=60)
    strategy = tf.distribute.MultiWorkerMirroredStrategy(communication_options=options)
    own = [tf.constant(each) for each in arrays(rank)]

    def gather(given: list[tf.Tensor]) -> list[tf.Tensor]:
        context = tf.distribute.get_replica_context()
        return context.all_gather(given, axis=0)

    run = tf.function(lambda: strategy.run(gather, args=(own,)))
    return lambda: [each.numpy() for each in run()]


ENGINES = {"peers": peers, "collectives": collectives}
Exchange = object


def serve(engine: str, rank: int, port: int) -> None:
    """Exchange as often as standard input asks, and tell how long each took."""
    exchange = ENGINES[engine](rank, port)
    for line in sys.stdin:
        times = []
        for _ in range(int(line)):
            start = time.perf_counter()
            try:
                exchange()
            except Exception as error:  # noqa: BLE001 - what it says is what is looked for
                print(json.dumps({"error": f"{type(error).__name__}: {error}"}), flush=True)
                return
            times.append(time.perf_counter() - start)
        print(json.dumps({"ms": statistics.median(times) * 1000}), flush=True)


class Pair:
    """Two processes with one engine."""

    def __init__(self, engine: str, port: int) -> None:
        self.processes = [
            subprocess.Popen(
                [sys.executable, "-m", "benchmarks.engines", engine, str(rank), str(port)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            for rank in (0, 1)
        ]

    def ask(self, steps: int, *, only_first: bool = False) -> dict:
        asked = self.processes[:1] if only_first else self.processes
        for process in asked:
            process.stdin.write(f"{steps}\n")
            process.stdin.flush()
        answers = [process.stdout.readline() for process in asked]
        return json.loads(answers[0]) if answers[0] else {"error": "it died"}

    def lose(self, number: int) -> str:
        """Send a signal to the second process and return what the first says of it."""
        self.processes[1].send_signal(number)
        start = time.monotonic()
        guard = subprocess.Popen(["sh", "-c", f"sleep {PATIENCE}; kill -9 {self.processes[0].pid}"])
        said = self.ask(STEPS, only_first=True)
        guard.kill()
        for process in self.processes:
            process.kill()
        return f"{time.monotonic() - start:.0f} s: {said}"


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("serve", nargs="*", help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    if given.serve:
        engine, rank, port = given.serve
        serve(engine, int(rank), int(port))
        return
    size = sum(int(np.prod(shape)) for shape in SHAPES) * 4
    print(f"{size:,} bytes in each direction and step")
    pairs = {engine: Pair(engine, 18_700 + 10 * n) for n, engine in enumerate(ENGINES)}
    for pair in pairs.values():
        pair.ask(3)
    for turn in range(given.rounds):
        print(turn, {engine: pair.ask(STEPS) for engine, pair in pairs.items()}, flush=True)
    for name, number in (("SIGKILL", signal.SIGKILL), ("SIGSTOP", signal.SIGSTOP)):
        for n, engine in enumerate(ENGINES):
            pair = Pair(engine, 18_800 + 10 * n + 40 * (number == signal.SIGSTOP))
            pair.ask(3)
            print(name, engine, pair.lose(number), flush=True)
    for pair in pairs.values():
        for process in pair.processes:
            process.kill()


if __name__ == "__main__":
    main()
