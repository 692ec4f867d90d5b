"""Answers of a model for many who ask at once."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import NamedTuple

from keras_repro.bundles.explanation import Answer, ClassAnswer
from keras_repro.core.errors import ReproError

# Texts that are answered together at most, unless one request has more.
TEXTS_PER_BATCH = 256


# What becomes of a text: its answer, or why there is none.
Judged = Answer | ClassAnswer | ReproError


class BusyError(Exception):
    """As much waits already as may."""


class _Waiting(NamedTuple):
    texts: Sequence[str]
    answer: asyncio.Future[Sequence[Judged]]


class Batcher:
    """Collects what is asked while the model computes, and asks it all together then.

    Nobody waits for a batch to fill: a request that comes alone is answered alone.

    Args:
        judge: returns what becomes of each text.
        executor: in which it runs.
        most: texts that may wait, unless one request has more.
        observe: is told the number of texts of each batch.

    """

    def __init__(
        self,
        judge: Callable[[Sequence[str]], Sequence[Judged]],
        executor: Executor,
        most: int,
        observe: Callable[[int], None],
    ) -> None:
        self._judge, self._executor, self._most, self._observe = judge, executor, most, observe
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue()
        self._texts = 0  # in the queue

    @property
    def full(self) -> bool:
        """Whether nothing more is taken now."""
        return self._texts >= self._most

    async def __call__(self, texts: Sequence[str]) -> Sequence[Judged]:
        """Return what becomes of some texts.

        Raises:
            BusyError: too many wait already.

        """
        if self.full:
            raise BusyError
        answer: asyncio.Future[Sequence[Judged]] = asyncio.get_running_loop().create_future()
        self._texts += len(texts)
        self._queue.put_nowait(_Waiting(texts, answer))
        return await answer

    async def run(self) -> None:
        """Answer until the task is cancelled."""
        while True:
            batch = [await self._queue.get()]
            while not self._queue.empty() and self._count(batch) < TEXTS_PER_BATCH:
                batch.append(self._queue.get_nowait())
            self._texts -= self._count(batch)
            await self._answer(batch)

    async def _answer(self, batch: list[_Waiting]) -> None:
        texts = [text for waiting in batch for text in waiting.texts]
        self._observe(len(texts))
        try:
            found = await asyncio.get_running_loop().run_in_executor(
                self._executor, self._judge, texts
            )
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it
            for waiting in batch:
                if not waiting.answer.done():
                    waiting.answer.set_exception(error)
            return
        start = 0
        for waiting in batch:
            end = start + len(waiting.texts)
            if not waiting.answer.done():  # who has gone away needs none
                waiting.answer.set_result(found[start:end])
            start = end

    @staticmethod
    def _count(batch: list[_Waiting]) -> int:
        return sum(len(waiting.texts) for waiting in batch)
