"""Shards of a batch: the sum of the whole, whoever computes them, and what peers say."""

import itertools
import json
import socket
import threading
import time
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from keras_repro.core import params
from keras_repro.core.errors import ReproError
from keras_repro.inputs import ImageInputs, TrainingData, WordInputs, batches
from keras_repro.models import sentiment_bilstm
from keras_repro.training import peers, sharded, trainer
from keras_repro.training.checkpoint import Checkpoint
from keras_repro.training.peers import Group, Peer

RANDOM = np.random.default_rng(1)
WORDS = WordInputs(30, 2)
ROWS = 23  # the last batch of five has three rows, fewer than four shards
SETTINGS = params.Bilstm.model_validate(
    {
        "embedding": 4,
        "units": 3,
        "embedding_dropout": 0.0,
        "dropout": 0.0,
        "optimizer": {"name": "adam", "learning_rate": 0.01},
        "batch_size": 5,
        "epochs": 2,
        "callbacks": {"checkpoint": None, "early_stopping": None, "reduce_learning_rate": None},
    },
    strict=False,
)


def reviews() -> TrainingData:
    """Return reviews of different lengths, which a shard pads to its own longest."""
    random = np.random.default_rng(2)
    lengths = random.integers(1, 9, ROWS)
    tokens = random.integers(1, 30, (ROWS, 8)).astype(np.int32)
    tokens *= np.arange(8) < lengths[:, None]
    labels = random.integers(0, 2, ROWS).astype(np.uint8)

    def gather(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return tokens[rows, : lengths[rows].max()], labels[rows]

    train = batches.Batches(gather, lambda random: batches.by_length(lengths, 5, random), 3)
    whole = batches.Batches(gather, lambda _: batches.by_length(lengths, 5, None), 0)
    return TrainingData(train, whole, WORDS, "reviews")


def trained(directory: Path, **changes: object) -> tuple[list[np.ndarray], list[tuple]]:
    """Return the weights of a training with other settings, and its history."""
    keras.utils.set_random_seed(1)
    settings = SETTINGS.model_copy(update=changes)
    model = sentiment_bilstm.build(settings, WORDS)
    kept = Checkpoint(directory / str(len(list(directory.iterdir()))), {})
    learned, rows = trainer.fit(model, settings, reviews(), kept)
    return learned.get_weights(), rows


@pytest.mark.parametrize("perturbation", [None, 0.1])
def test_shards_of_a_batch_have_the_gradients_of_the_whole(
    tmp_path: Path, perturbation: float | None
) -> None:
    whole, history = trained(tmp_path, perturbation=perturbation)
    weights, rows = trained(tmp_path, perturbation=perturbation, shards=4)
    for found, expected in zip(weights, whole, strict=True):
        np.testing.assert_allclose(found, expected, atol=2e-4)
    np.testing.assert_allclose(rows, history, atol=2e-4)


def test_dropout_is_another_one_for_each_shard_and_step(tmp_path: Path) -> None:
    section = SETTINGS.model_copy(update={"embedding_dropout": 0.5, "shards": 2})
    model = sentiment_bilstm.build(section, WORDS)
    trainer.prepare(model, section, 5)
    step = sharded.Step(model, reviews(), 2, None)
    x, y = np.ones((2, 4), np.int32), np.zeros(2, np.uint8)
    first, again, other = (
        [each.numpy() for (each, *_) in step._look((x, y), np.int64(number))]  # noqa: SLF001
        for number in (0, 0, 1)
    )
    for one, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, same)
    assert any(not np.array_equal(one, two) for one, two in zip(first, other, strict=True))
    before = [np.array(seed) for seed in step._seeds]  # noqa: SLF001
    step(iter([(np.array([0]),)]))
    for seed, start in zip(step._seeds, before, strict=True):  # noqa: SLF001
        np.testing.assert_array_equal(seed, np.add(start, [0, 2 * sharded.DRAWS]))


def test_processes_that_share_a_batch_compute_the_sum_of_one_that_does_not() -> None:
    count = 7
    leaves = [
        [
            (RANDOM.normal(size=(3, 2)).astype(np.float32),),
            (np.unique(RANDOM.integers(0, 9, 4)), None),
        ]
        for _ in range(count)
    ]
    for leaf in leaves:
        numbers = leaf[1][0]
        leaf[1] = (numbers, RANDOM.normal(size=(len(numbers), 2)).astype(np.float32))
    alone = {(0, place): leaf for place, leaf in enumerate(leaves)}
    sharded.fold(alone, count)
    ((root, expected),) = alone.items()
    assert root == (3, 0)
    dense = np.zeros((9, 2))
    for _, (numbers, rows) in leaves:
        dense[numbers] += rows
    np.testing.assert_allclose(expected[1][1], dense[expected[1][0]], rtol=1e-5, atol=1e-6)
    for size in (2, 3, 4, 7):
        nodes: sharded.Nodes = {}
        for start, end in itertools.pairwise(rank * count // size for rank in range(size + 1)):
            own = {(0, place): leaves[place] for place in range(start, end)}
            sharded.fold(own, count)
            told, arrays = sharded._packed(own)  # noqa: SLF001 - as they are sent
            nodes |= sharded._read(json.loads(json.dumps(told)), arrays)  # noqa: SLF001
        sharded.fold(nodes, count)
        found = nodes[root]
        for one, other in zip(itertools.chain(*expected), itertools.chain(*found), strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_layer_that_remembers_batches_is_refused() -> None:
    model = keras.Sequential([keras.Input((2,)), layers.BatchNormalization(name="norm")])
    model.add(layers.Dense(2, "softmax"))
    trainer.prepare(model, SETTINGS, 1)
    rows = np.ones((4, 2), np.float32), np.zeros(4, np.uint8)
    part = batches.Batches(lambda _: rows, lambda _: [np.arange(4)], 0)
    data = TrainingData(part, part, ImageInputs((2,), 2), "images")
    with pytest.raises(ReproError, match=r"norm/moving_\w+ changes with each batch.* shards: 1"):
        sharded.attach(model, data, 2, None)


def test_a_process_without_a_shard_is_refused() -> None:
    group = Group(1, 4, [pair()[0]], Path())
    model = sentiment_bilstm.build(SETTINGS, WORDS)
    with pytest.raises(ReproError, match="has shards 2 and is trained by 4 processes"):
        sharded.attach(model, reviews(), 2, group)


def test_shards_are_no_more_than_rows() -> None:
    with pytest.raises(ValueError, match="expected shards to be at most batch_size"):
        params.Bilstm.model_validate(SETTINGS.model_dump() | {"shards": 6}, strict=False)


def pair() -> tuple[Peer, Peer, socket.socket]:
    """Return both ends of a connection, and the second's, which can be closed or written to."""
    ours, theirs = socket.socketpair()
    raw = theirs.dup()
    made: list[Peer] = []
    calling = threading.Thread(target=lambda: made.append(Peer("worker 1", ours, calls=True)))
    calling.start()
    other = Peer("the chief", theirs, calls=False)
    calling.join()
    return made[0], other, raw


@pytest.fixture(autouse=True)
def _on_sockets_without_tcp(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "IPPROTO_TCP", socket.SOL_SOCKET)
    monkeypatch.setattr(socket, "TCP_NODELAY", socket.SO_KEEPALIVE)


class TestPeers:
    """What a connection carries, and how it ends."""

    def test_arrays_arrive_as_they_were(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(peers, "HEARTBEAT", 0.001)
        monkeypatch.setenv(peers.KEY, "secret")
        here, there, _ = pair()
        sent = [np.arange(6.0).reshape(2, 3).T, np.zeros((0, 3), np.int64), np.float32(1.5)]
        for _ in range(50):  # among heartbeats
            there.send({"nodes": [1]}, [np.asarray(each) for each in sent])
            told, arrays = here.receive()
            assert told == {"nodes": [1]}
            for one, other in zip(arrays, sent, strict=True):
                np.testing.assert_array_equal(one, other)
                assert one.dtype == other.dtype

    def test_a_fault_is_told_with_the_name_of_who_has_it(self) -> None:
        here, there, _ = pair()
        there.send({"fault": "has other data"})
        with pytest.raises(ReproError, match=r"^worker 1: has other data$"):
            here.receive()

    def test_who_ends_is_named(self) -> None:
        here, there, raw = pair()
        raw.close()
        there.close()
        with pytest.raises(ReproError, match=r"^worker 1: is lost .*\(`dvc repro` goes on after"):
            here.receive()

    def test_who_is_silent_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(peers, "PATIENCE", 1)
        monkeypatch.setattr(peers, "HEARTBEAT", 60)
        here, *_ = pair()
        before = time.monotonic()
        with pytest.raises(ReproError, match=r"^worker 1: gave no sign of life for 1 s; expected"):
            here.receive()
        with pytest.raises(ReproError, match=r"^worker 1: gave no sign of life for 1 s; expected"):
            here.send({}, [np.zeros(10_000_000)])  # which nobody takes
        assert time.monotonic() - before < 20

    def test_what_is_no_message_is_refused(self) -> None:
        here, _, raw = pair()
        raw.sendall(b"\0\0\0\4GET ")
        with pytest.raises(ReproError, match=r"^worker 1: is no process of this training"):
            here.receive()

    def test_another_key_is_refused(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv(peers.KEY, "secret")
        ours, theirs = socket.socketpair()
        # It asks for proof in the way of multiprocessing, and takes none.
        answering = threading.Thread(target=lambda: _refuse(theirs))
        answering.start()
        with pytest.raises(ReproError, match="the same WORKERS_KEY in its environment"):
            Peer("worker 1", ours, calls=True)
        answering.join()

    def test_other_code_is_refused(self) -> None:
        here, there, _ = pair()
        origin = {
            "parameters": {"shards": 2},
            "code": {"a.py": "1"},
            "packages or hardware": {"cpu": "A", "threads": 1},
        }
        other = origin | {"packages or hardware": {"cpu": "B", "threads": 1}}
        chief, worker = Group(0, 2, [here], Path()), Group(1, 2, [there], Path())
        assert chief.agreed(origin) == origin
        assert worker.agreed(other) == origin  # how a processor is called decides nothing
        assert chief.agreed(origin) == origin
        with pytest.raises(ReproError, match=r"has other code: a\.py is '2'; the chief has '1'"):
            worker.agreed(origin | {"code": {"a.py": "2"}})


def _refuse(end: socket.socket) -> None:
    from multiprocessing import AuthenticationError, connection

    asking = connection.Connection(end.detach())
    with pytest.raises(AuthenticationError):
        connection.deliver_challenge(asking, b"another")
    asking.close()
