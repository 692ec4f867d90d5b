"""An hour's worth of requests to the service, its memory meanwhile, and whether it erred.

`python -m benchmarks.serving_load [--requests 360000]` at the root of the repository, after
`dvc repro`: as many as 100 clients ask who each want an answer a second, on 32 connections, as fast
as they are answered. Of a hundred requests 86 are for four reviews, 4 explain one, 4 draw a
digit, 3 are wrong, 2 are too long and 1 leaves before it is answered. Ends with 1 if the service
has erred or refused as too much, or if the second half has made it grow by more than 5 MB.
"""

import argparse
import asyncio
import base64
import io
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator

import aiohttp
import httpx
import numpy as np
import psutil
from PIL import Image, ImageDraw
from tqdm import tqdm

from benchmarks.serving import CONNECTIONS, drawn, quantile, served
from keras_repro.core import runtime

REQUESTS = 100 * 3600
SAMPLES = 20
GROWTH = 5.0  # MB
JSON = {"content-type": "application/json"}
SHARES = {"predict": 86, "explain": 4, "digit": 4, "wrong": 3, "long": 2, "leaves": 1}
PATHS = {"wrong": "predict", "long": "predict", "leaves": "explain"}
WRONG = ('{"texts": [', '{"texts": []}', '{"texts": ["\\ud800"]}', '{"many": 1}', "[" * 10_000)


def main() -> None:
    """Ask, and say what became of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=REQUESTS)
    arguments = parser.parse_args()
    with served() as (url, pid):
        statuses, times, memory = asyncio.run(ask(url, pid, arguments.requests))
    half, growth = memory[len(memory) // 2], memory[-1] - memory[len(memory) // 2]
    told = ", ".join(f"{count:,} of {status}" for status, count in sorted(statuses.items()))
    print(f"{sum(statuses.values()):,} requests: {told}; 99 % within {quantile(times):.0f} ms")
    print(f"memory: {memory[0]:.0f} MB, {half:.0f} halfway, {memory[-1]:.0f} in the end")
    if growth > GROWTH or any(map(httpx.codes.is_server_error, statuses)):
        sys.exit(1)


async def ask(url: str, pid: int, count: int) -> tuple[Counter[int], list[float], list[float]]:
    """Return how many requests had which status (0: left), milliseconds, and MB over time."""
    statuses: Counter[int] = Counter()
    times: list[float] = []
    process = psutil.Process(pid)
    memory = [process.memory_info().rss / 1e6]
    waiting = iter(tqdm(requests(count), total=count))

    async def client(http: aiohttp.ClientSession) -> None:
        for kind, body in waiting:
            started = time.perf_counter()
            place = f"{url}/{PATHS.get(kind, kind)}"
            limit = aiohttp.ClientTimeout(0.001 if kind == "leaves" else 60)
            try:
                async with http.post(place, data=body, headers=JSON, timeout=limit) as answer:
                    await answer.read()
                    statuses[answer.status] += 1
                times.append((time.perf_counter() - started) * 1000)
            except TimeoutError:
                statuses[0] += 1
            if sum(statuses.values()) % max(1, count // SAMPLES) == 0:
                memory.append(process.memory_info().rss / 1e6)

    connector = aiohttp.TCPConnector(limit=CONNECTIONS)
    async with aiohttp.ClientSession(connector=connector) as http:
        await asyncio.gather(*(client(http) for _ in range(CONNECTIONS)))
    return statuses, times, memory


def requests(count: int) -> Iterator[tuple[str, bytes]]:
    """Yield kinds and bodies in random order."""
    chosen = random.Random(4)  # noqa: S311
    texts = drawn(100_000, seed=4)
    bodies: dict[str, Callable[[str], str]] = {
        "predict": lambda text: json.dumps({"texts": [text, *chosen.choices(texts, k=3)]}),
        "explain": lambda text: json.dumps({"text": text}),
        "leaves": lambda text: json.dumps({"text": text}),
        "digit": lambda _: json.dumps({"image": digit(chosen)}),
        "wrong": lambda _: chosen.choice(WRONG),
        "long": lambda _: " " * chosen.randrange(1_000_001, 1_500_000),
    }
    for kind in chosen.choices(list(SHARES), SHARES.values(), k=count):
        yield kind, bodies[kind](chosen.choice(texts)).encode()


def digit(chosen: random.Random) -> str:
    """Return strokes as the page sends them."""
    image = Image.fromarray(np.full((280, 280), 255, np.uint8))
    points = [(chosen.randrange(40, 240), chosen.randrange(40, 240)) for _ in range(5)]
    ImageDraw.Draw(image).line(points, fill=0, width=20)
    file = io.BytesIO()
    image.save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


if __name__ == "__main__":
    runtime.run(main)
