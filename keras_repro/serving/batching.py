"""Answers of a model for many who ask at once."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import NamedTuple

from keras_repro.bundles.sentiment import Answer

# Texts that are answered together at most, unless one request has more.
TEXTS_PER_BATCH = 256


class _Waiting(NamedTuple):
    texts: Sequence[str]
    answer: asyncio.Future[Sequence[Answer]]


class Batcher:
    """Collects what is asked while the model computes, and asks it all together then.

    Nobody waits for a batch to fill: a request that comes alone is answered alone.

    Args:
        predict: returns an answer per text.
        executor: in which it runs.
        observe: is told the number of texts of each batch.

    """

    def __init__(
        self,
        predict: Callable[[Sequence[str]], Sequence[Answer]],
        executor: Executor,
        observe: Callable[[int], None],
    ) -> None:
        self._predict, self._executor, self._observe = predict, executor, observe
        self._queue: asyncio.Queue[_Waiting] = asyncio.Queue()

    async def __call__(self, texts: Sequence[str]) -> Sequence[Answer]:
        """Return the answers of some texts."""
        answer: asyncio.Future[Sequence[Answer]] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait(_Waiting(texts, answer))
        return await answer

    async def run(self) -> None:
        """Answer until the task is cancelled."""
        while True:
            batch = [await self._queue.get()]
            while not self._queue.empty() and self._count(batch) < TEXTS_PER_BATCH:
                batch.append(self._queue.get_nowait())
            await self._answer(batch)

    async def _answer(self, batch: list[_Waiting]) -> None:
        texts = [text for waiting in batch for text in waiting.texts]
        self._observe(len(texts))
        try:
            found = await asyncio.get_running_loop().run_in_executor(
                self._executor, self._predict, texts
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
