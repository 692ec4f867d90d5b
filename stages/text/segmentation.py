"""Reviews cut into words with jieba, over processes, in order."""

import logging
import multiprocessing
import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import cache
from pathlib import Path

import jieba

from stages import ReproError, paths
from stages.params import Segment

# Batches that wait for each process: enough to keep it busy, few enough to stay out of the memory.
BATCHES_PER_WORKER = 4


def load_stop_words(path: Path) -> frozenset[str]:
    """Return the words of a file with one a line; blank lines and `#` comments are skipped."""
    lines = (line.partition("#")[0].strip() for line in _read(path, "a list of stop words"))
    return frozenset(line for line in lines if line)


class Segmenter:
    """Cuts texts into lower-case words without blanks and stop words.

    Args:
        settings: the section `segment` of params.yaml.
        cache: a directory in which jieba keeps its parsed dictionary, 0.5 s to make and to load.

    Raises:
        ReproError: the stop words or the user dictionary are missing or malformed.

    """

    def __init__(self, settings: Segment, cache: Path = paths.JIEBA_CACHE) -> None:
        jieba.setLogLevel(logging.WARNING)
        cache.mkdir(parents=True, exist_ok=True)
        # A tokenizer of its own: words that others add to jieba's global one stay out of ours.
        self._jieba = jieba.Tokenizer()
        self._jieba.tmp_dir = str(cache)
        self._jieba.initialize()
        self._hmm = settings.hmm
        if settings.user_dict is not None:
            self._add_words(settings.user_dict)
        self._stop_words = (
            load_stop_words(settings.stop_words) if settings.stop_words else frozenset()
        )

    def _add_words(self, path: Path) -> None:
        """Add the words of a user dictionary: WORD [FREQUENCY] [TAG], one a line."""
        for number, line in enumerate(_read(path, "a user dictionary"), start=1):
            fields = line.partition("#")[0].split()
            if not fields:
                continue
            word, *rest = fields
            frequency = rest.pop(0) if rest and rest[0].isdecimal() else None
            if len(rest) > 1:
                raise ReproError(
                    f"{path}: line {number} is {line.strip()!r}; expected WORD [FREQUENCY] [TAG]"
                )
            self._jieba.add_word(word, frequency and int(frequency))

    def __call__(self, text: str) -> list[str]:
        """Return the words of a text."""
        words = (word.lower() for word in self._jieba.cut(text, HMM=self._hmm))
        return [word for word in words if not word.isspace() and word not in self._stop_words]


def segment(
    batches: Iterable[list[str]], settings: Segment, workers: int | None = None
) -> Iterator[list[list[str]]]:
    """Yield the words of each text of each batch, in the order of the batches.

    Args:
        batches: lists of texts; only a few are held at a time.
        settings: the section `segment` of params.yaml.
        workers: number of processes; by default one per core that this process may use.

    """
    _segmenter(settings)  # faults are found here, and jieba's cache is made once for all workers
    workers = workers or len(os.sched_getaffinity(0))
    context = multiprocessing.get_context("spawn")  # a forked child inherits Arrow's locked threads
    with ProcessPoolExecutor(workers, context, initializer=_end_with_parent) as pool:
        waiting: deque[Future[list[list[str]]]] = deque()
        try:
            for batch in batches:
                waiting.append(pool.submit(_segment_batch, settings, batch))
                if len(waiting) >= workers * BATCHES_PER_WORKER:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool:
            raise ReproError(
                "segment: a worker process was killed, perhaps for want of memory; run again"
            ) from None


def _end_with_parent() -> None:
    """End this worker when its parent is killed; otherwise it would wait for work for ever."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


@cache
def _segmenter(settings: Segment) -> Segmenter:
    """Return this process' segmenter; the dictionary takes 0.5 s to load, so it is loaded once."""
    return Segmenter(settings)


def _segment_batch(settings: Segment, batch: list[str]) -> list[list[str]]:
    segmenter = _segmenter(settings)
    return [segmenter(text) for text in batch]


def _read(path: Path, kind: str) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise ReproError(f"{path}: not found; expected {kind}") from None
    except UnicodeDecodeError as error:
        raise ReproError(f"{path}: no UTF-8 text ({error}); expected {kind}") from None
