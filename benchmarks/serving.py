"""How fast the bundle of a sentiment model answers: cold, at the prompt, over a file, as a service.

`python -m benchmarks.serving [--runs 5]` at the root of the repository, after
`dvc repro`. The alternatives run in turn with ours: a process that loads the
.keras archive and asks it, as one would without a bundle, for the cold start and for the file.

- cold: a process from its start to its end, for one review.
- prompt: a line to a running process until its answer is read.
- file: a CSV of drawn reviews of 65 characters; memory is the peak of the process, with a tenth of
  the rows and with all.
- service: 32 connections, each with one review a request and the next when that is answered; the
  client is a process of its own on the same cores. Then requests over the limits, one at a time.
"""

import argparse
import asyncio
import csv
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import aiohttp
import httpx
import pyarrow.parquet as pq
from tqdm import tqdm

from benchmarks.text_scale import peak_memory
from keras_repro.core import params, runtime
from keras_repro.reproducibility.exact.fingerprint import processor

TEXT = "房间很干净，服务也好，下次还会来"
COMMAND = [str(Path(sys.executable).parent / "keras-repro")]
# What one would do without a bundle: TensorFlow, the archive, the vocabulary that training made.
KERAS = """
import sys
from keras_repro.core import files, params, paths, runtime
settings = params.load()
runtime.configure(settings.runtime)
from keras_repro.reproducibility.exact import archive
from keras_repro.text import characters, ngrams, segmentation
model = archive.load(paths.model("sentiment_hybrid"))
user_words = segmentation.load(settings.segment).user_words
cutting = characters.cutting(settings.segment.engine, user_words)
points = files.read_npz(paths.NGRAM_VOCABULARY, ["characters"])["characters"]
numbers = ngrams.numbers(ngrams.alphabet_of(points))
found = characters.numbered(segmentation.Segmenter(cutting).words(sys.argv[1]))
ids = ngrams.read_keys(paths.NGRAM_VOCABULARY).ids(numbers[found][None])
print(model.predict(ids, verbose=0)[0, 1])
"""
CHARACTERS = 65
CONNECTIONS = 32
REFUSED = 200


def main() -> None:
    """Measure all four."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--client", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.client:
        asyncio.run(client(arguments.client, arguments.requests))
        return
    print(f"{processor()}, {len(os.sched_getaffinity(0))} cores")
    cold(arguments.runs)
    prompt()
    with tempfile.TemporaryDirectory() as directory:
        for rows in (arguments.rows // 10, arguments.rows):
            whole_file(Path(directory), rows)
    for _ in range(min(3, arguments.runs)):
        service(arguments.requests)


def cold(runs: int) -> None:
    """Time processes from start to end, ours and Keras' in turn."""
    ours, theirs = [], []
    subprocess.run([*COMMAND, "predict", TEXT], check=True, capture_output=True)  # warms the disk
    for _ in tqdm(range(runs), desc="cold starts"):
        ours.append(timed([*COMMAND, "predict", TEXT]))
        theirs.append(timed([sys.executable, "-c", KERAS, TEXT]))
    faster = [slow / fast for slow, fast in zip(theirs, ours, strict=True)]
    print(f"cold start: {spread(ours)} s; with Keras {spread(theirs)} s, {spread(faster)} times")


def timed(command: list[str]) -> float:
    """Return the seconds that a process takes."""
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - started


def prompt() -> None:
    """Time lines to a running process."""
    texts = drawn(1_000, seed=1)
    with subprocess.Popen(
        [*COMMAND, "predict"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        times = []
        for text in texts:
            started = time.perf_counter()
            process.stdin.write(f"{text}\n")
            process.stdin.flush()
            process.stdout.readline()
            times.append((time.perf_counter() - started) * 1000)
        process.stdin.close()
    late = times[1:]  # the first waits for the process to start
    print(f"prompt: median {statistics.median(late):.2f} ms, 99 % within {quantile(late):.2f} ms")


def drawn(count: int, seed: int) -> list[str]:
    """Return reviews of 65 characters, cut from those of the corpus in random order."""
    place = params.load().storage.prepared_reviews
    whole = "".join(pq.read_table(place, columns=["text"])["text"].to_pylist())
    starts = random.Random(seed).choices(range(len(whole) - CHARACTERS), k=count)  # noqa: S311
    return [whole[start : start + CHARACTERS] for start in starts]


def whole_file(directory: Path, rows: int) -> None:
    """Time a file, and find the memory that the process had at most."""
    source = directory / f"{rows}.csv"
    with source.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text"])
        writer.writerows(enumerate(drawn(rows, seed=2)))
    started = time.perf_counter()
    with subprocess.Popen(
        [*COMMAND, "predict", "--file", str(source), "--output", str(directory / "out.csv")],
        stderr=subprocess.DEVNULL,
    ) as process:
        peak = 0.0
        while process.poll() is None:
            peak = max(peak, peak_memory(process.pid))
            time.sleep(0.05)
    seconds = time.perf_counter() - started
    if process.returncode:
        sys.exit(process.returncode)
    print(f"file: {rows:,} reviews in {seconds:.1f} s, {rows / seconds:,.0f}/s, {peak:,.0f} MB")


@contextmanager
def served() -> Iterator[tuple[str, int]]:
    """Yield the address of a service and the number of its process."""
    with subprocess.Popen(
        [*COMMAND, "serve", "--port", "0"], stderr=subprocess.PIPE, text=True
    ) as process:
        for line in process.stderr:
            if " answers until " in line:
                yield line.split()[0], process.pid
                break
        process.terminate()


def service(requests: int) -> None:
    """Ask a service from a process of its own."""
    with served() as (url, _):
        command = ["-m", "benchmarks.serving", "--client", url, "--requests", str(requests)]
        result = subprocess.run(
            [sys.executable, *command], check=True, stdout=subprocess.PIPE, text=True
        )
        told = json.loads(result.stdout)
        refused = []
        with httpx.Client(base_url=url) as http:
            for number in range(REFUSED):
                long = {"content": b" " * 1_000_001} if number % 2 else {"json": {"texts": [""]}}
                started = time.perf_counter()
                answer = http.post("/predict", **long)
                refused.append((time.perf_counter() - started) * 1000)
                if answer.status_code not in (413, 422):
                    sys.exit(f"a request over the limits was answered {answer.status_code}")
    print(
        f"service: {told['rate']:,.0f} requests/s, median {told['median']:.1f} ms, "
        f"99 % within {told['late']:.1f} ms, {told['errors']} errors; refused within "
        f"{max(refused):.1f} ms"
    )


async def client(url: str, requests: int) -> None:
    """Ask on all connections and print what was measured, as JSON."""
    texts = iter(drawn(requests, seed=3))
    times: list[float] = []
    errors = 0

    async def ask(http: aiohttp.ClientSession) -> None:
        nonlocal errors
        for text in texts:
            started = time.perf_counter()
            async with http.post(f"{url}/predict", json={"texts": [text]}) as answer:
                await answer.read()
                errors += answer.status != httpx.codes.OK
            times.append((time.perf_counter() - started) * 1000)

    # httpx would take more of the two cores than the service does.
    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector) as http:
        started = time.perf_counter()
        await asyncio.gather(*(ask(http) for _ in range(CONNECTIONS)))
        rate = len(times) / (time.perf_counter() - started)
    told = {"rate": rate, "median": statistics.median(times), "late": quantile(times)}
    print(json.dumps(told | {"errors": errors}))


def quantile(values: list[float]) -> float:
    """Return what 99 % of the values do not exceed."""
    return statistics.quantiles(values, n=100)[-1]


def spread(values: list[float]) -> str:
    """Return the median and, in brackets, the least and the greatest."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


if __name__ == "__main__":
    runtime.run(main)
