"""How fast and with how much memory several processes of this machine train a model together.

`python -m benchmarks.workers speed NAME` trains on a part of the data with one process and with
several, in turn, each with one thread. Beside the seconds of an epoch it tells for how many the
busiest process computed, which other work on the machine changes little.
`python -m benchmarks.workers memory` reads drawn reviews.
"""

import argparse
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from ruamel.yaml import YAML

from keras_repro.core import files, paths
from keras_repro.text import ragged

ROOT = Path(__file__).parents[1]
TOKENS = (5, 45)  # of a drawn review, at least and below
VOCABULARY = 100_000
PIECE = 1_000_000  # reviews that are drawn at once
EPOCH = re.compile(r"epoch \d+ of \d+: ([\d,]+) ")


def draw(path: Path, rows: int) -> None:
    """Write encoded reviews, a hundredth of them for validation."""
    random = np.random.default_rng(1)
    arrays: dict[str, np.ndarray] = {"vocabulary_size": np.array(VOCABULARY)}
    arrays["sources"] = np.array(["drawn"])
    for split, count in {"train": rows, "validation": rows // 100, "test": rows // 100}.items():
        lengths = random.integers(*TOKENS, count)
        tokens = np.empty(lengths.sum(), np.int32)
        for start in range(0, len(tokens), PIECE):
            part = tokens[start : start + PIECE]
            part[:] = random.integers(2, VOCABULARY, len(part))
        arrays |= ragged.named(split, ragged.of(random.integers(0, 2, count), lengths, tokens))
    files.write_npz(path, arrays)


def copy(directory: Path) -> Path:
    """Return a copy of what a training needs of this repository, without its data."""
    root = directory / "project"
    for name in ("keras_repro", "stages"):
        shutil.copytree(ROOT / name, root / name)
    for name in ("params.yaml", "data/registry.yaml"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    return root


def memory_of(number: int) -> dict[str, int]:
    """Return the MB of a process: what it holds itself, and what it has mapped of files."""
    told = Path(f"/proc/{number}/status").read_text()
    kinds = {"own": "RssAnon", "mapped": "RssFile"}
    return {
        kind: int(re.search(rf"{name}:\s+(\d+)", told)[1]) // 1024 for kind, name in kinds.items()
    }


def memory(rows: int, *, hold: bool) -> None:
    """Read reviews as a worker does, arrange two epochs, and tell what that took."""
    with tempfile.TemporaryDirectory(dir=ROOT / paths.CACHE) as directory:
        os.chdir(directory)
        paths.ENCODED_REVIEWS.parent.mkdir(parents=True)
        draw(paths.ENCODED_REVIEWS, rows)
        size = paths.ENCODED_REVIEWS.stat().st_size
        print(f"{rows:,} reviews in {size / 1e6:,.0f} MB", flush=True)
        code = f"from benchmarks import workers; workers.read({hold})"
        subprocess.run(
            [sys.executable, "-c", code], env=os.environ | {"PYTHONPATH": str(ROOT)}, check=True
        )


def read(hold: bool) -> None:  # noqa: FBT001 - called with a flag of the command
    """Arrange and read batches; the most memory is asked for after each part."""
    from keras_repro.core import params
    from keras_repro.inputs import words

    settings = params.load(ROOT / paths.PARAMS)
    section = settings.model("sentiment_bilstm", params.Bilstm)
    if hold:  # as it was before the arrays were mapped
        files.map_npz = files.read_npz
    print("before", memory_of(os.getpid()))
    kind = words.Words()
    start = time.monotonic()
    data = kind.training(section, 1)
    print(f"opened in {time.monotonic() - start:.1f} s", memory_of(os.getpid()))
    for epoch in (0, 1):
        start = time.monotonic()
        data.train.start(epoch)
        told = f"epoch {epoch} arranged in {time.monotonic() - start:.1f} s"
        print(told, memory_of(os.getpid()), flush=True)
        for rows in data.train.rows[:2000]:
            data.train.gather(rows[::2])
        print("2,000 halves of batches read", memory_of(os.getpid()), flush=True)
    peak = re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1]
    print(f"most at any time, mapped files included: {int(peak) // 1024:,} MB")


class Workers:
    """So many workers on free ports of loopback."""

    def __init__(self, root: Path, count: int) -> None:
        self.addresses: list[str] = []
        self._processes: list[subprocess.Popen] = []
        for _ in range(count):
            with socket.create_server(("127.0.0.1", 0)) as free:
                self.addresses.append(f"tcp://127.0.0.1:{free.getsockname()[1]}")
            command = [sys.executable, "-m", "stages.train", "--worker", self.addresses[-1]]
            quiet = {"cwd": root, "env": environment(root), "stderr": subprocess.DEVNULL}
            self._processes.append(subprocess.Popen(command, **quiet))

    def training(self) -> list[int]:
        """Return the processes that train with a chief at the moment."""
        found = (f"/proc/{each.pid}/task/{each.pid}/children" for each in self._processes)
        return [int(number) for path in found for number in Path(path).read_text().split()]

    def close(self) -> None:
        """End them."""
        for process in self._processes:
            process.kill()


def environment(root: Path) -> dict[str, str]:
    """Return the environment in which a process has the code of `root`."""
    return os.environ | {"PYTHONPATH": str(root)}


def change(root: Path, name: str, shards: int, batch: int, workers: list[str]) -> None:
    """Set what a training is to do: two epochs, with one thread in each process."""
    yaml = YAML()
    content = yaml.load(ROOT / paths.PARAMS)
    content["workers"] = workers or None
    content["runtime"]["threads"] = 1
    model = content["models"][name]
    for section in [model] if "epochs" in model else [model[part] for part in PARTS]:
        section |= {"epochs": 2, "batch_size": batch or section["batch_size"]}
        if "least_batches" in section:
            section["least_batches"] = 0
        if shards > 1:
            section["shards"] = shards
    yaml.dump(content, root / paths.PARAMS)


PARTS = ("wide", "gate", "reader")


def cut(source: Path, target: Path, rows: int) -> None:
    """Write the first rows of each split of encoded texts, few of those that validate."""
    with np.load(source) as archive:
        arrays = dict(archive)
    for split in ("train", "validation", "test", ragged.COMPOSED):
        if f"{split}_ids" not in arrays:
            continue
        count = min(
            rows if split in ("train", ragged.COMPOSED) else 64, len(arrays[f"{split}_ids"])
        )
        end = arrays[f"{split}_offsets"][count]
        for field in ("ids", "labels", "sources"):
            arrays[f"{split}_{field}"] = arrays[f"{split}_{field}"][:count]
        arrays[f"{split}_offsets"] = arrays[f"{split}_offsets"][: count + 1]
        arrays[f"{split}_tokens"] = arrays[f"{split}_tokens"][:end]
    target.parent.mkdir(parents=True, exist_ok=True)
    files.write_npz(target, arrays)


def processor_time(number: int) -> float:
    """Return the seconds that a process has computed."""
    fields = Path(f"/proc/{number}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def train(root: Path, name: str, workers: Workers) -> tuple[int, float, float]:
    """Train, and return the last epoch's rows, its seconds, and those its busiest process computed.

    An epoch before has traced all graphs.
    """
    command = [sys.executable, "-m", "stages.train", name]
    chief = subprocess.Popen(
        command, cwd=root, env=environment(root), stderr=subprocess.PIPE, text=True
    )
    before: dict[int, float] = {}
    start = rows = 0
    spent = seconds = 0.0
    for line in chief.stderr:
        if found := EPOCH.search(line):
            now = {each: processor_time(each) for each in (chief.pid, *workers.training())}
            spent = max(now[each] - before.get(each, 0.0) for each in now)
            seconds, rows = time.monotonic() - start, int(found[1].replace(",", ""))
            before, start = now, time.monotonic()
    if chief.wait():
        sys.exit(f"{name} was not trained")
    return rows, seconds, spent


def speed(given: argparse.Namespace) -> None:
    """Tell reviews per second for each number of processes, in turn; 0 is `fit` itself."""
    with tempfile.TemporaryDirectory(dir=ROOT / paths.CACHE) as directory:
        root = copy(Path(directory))
        for path in (paths.ENCODED_REVIEWS, paths.NGRAMS):
            cut(ROOT / path, root / path, given.rows)
        for path in (paths.VOCABULARY, paths.NGRAM_VOCABULARY):
            shutil.copy(ROOT / path, root / path)
        workers = Workers(root, max(given.processes) - 1)
        found: dict[int, list[float]] = {}
        try:
            for turn in range(given.rounds):
                for count in given.processes:
                    shards = given.shards if count else 1
                    called = workers.addresses[: max(count - 1, 0)]
                    change(root, given.name, shards, given.batch, called)
                    rows, seconds, spent = train(root, given.name, workers)
                    found.setdefault(count, []).append(rows / spent)
                    digest = files.sha256(root / paths.model(given.name))[:12]
                    print(
                        f"{turn}: {count} processes, {rows:,} rows in {seconds:.1f} s, of which "
                        f"the busiest computed {spent:.1f}; model {digest}",
                        flush=True,
                    )
        finally:
            workers.close()
    for count, rates in found.items():
        ratios = [rate / one for rate, one in zip(rates, found[given.processes[-1]], strict=True)]
        print(
            f"{count}: {statistics.median(rates):,.0f} rows per second of the busiest process, "
            f"{statistics.median(ratios):.2f} times {given.processes[-1]}"
        )


def main() -> None:
    """Measure one or the other."""
    parser = argparse.ArgumentParser(description=__doc__)
    kinds = parser.add_subparsers(dest="kind", required=True)
    of_memory = kinds.add_parser("memory")
    of_memory.add_argument("--rows", type=int, default=10_000_000)
    of_memory.add_argument("--hold", action="store_true", help="as it was without maps")
    of_speed = kinds.add_parser("speed")
    of_speed.add_argument("name")
    of_speed.add_argument("--rows", type=int, default=2000)
    of_speed.add_argument("--batch", type=int, default=0, help="in place of that of params.yaml")
    of_speed.add_argument("--shards", type=int, default=4)
    of_speed.add_argument("--rounds", type=int, default=3)
    of_speed.add_argument("--processes", type=int, nargs="+", default=[1, 2, 4, 0])
    given = parser.parse_args()
    if given.kind == "memory":
        memory(given.rows, hold=given.hold)
    else:
        speed(given)


if __name__ == "__main__":
    main()
