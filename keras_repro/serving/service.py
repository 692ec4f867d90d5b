"""A model as an HTTP service, with a page for the browser."""

import asyncio
import base64
import binascii
import io
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from fastapi_offline import FastAPIOffline
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.routing import Route

from keras_repro.bundles import explanation
from keras_repro.bundles.explanation import Answer
from keras_repro.bundles.images import ImageClassifier
from keras_repro.bundles.sentiment import AnyAnswer, Sentiment
from keras_repro.core.errors import ReproError
from keras_repro.serving import comparison, metrics
from keras_repro.serving.batching import Batcher, BusyError, Judged
from keras_repro.serving.guard import LATER, Guard, Metrics, busy
from keras_repro.serving.messages import (
    PNG,
    ClassExplanation,
    ClassPrediction,
    Clause,
    Compared,
    Comparison,
    Digit,
    Drawing,
    Explanation,
    Health,
    Model,
    Models,
    Prediction,
    Predictions,
    Ready,
    Refusal,
    Text,
    Texts,
    Word,
    check_text,
)
from keras_repro.serving.settings import WAITING, Limits

Result = TypeVar("Result")
PAGE = Path(__file__).parent / "page"
VERSION = metadata.version("keras-repro")
READERS = 2
# Of a request that has many; characters of a key in one; of a text: answers must not grow with
# requests.
FAULTS, KEY, CLAUSES = 10, 100, 100

ALL: dict[int | str, dict[str, Any]] = {
    421: {"model": Refusal, "description": "The name of another host"},
    503: {"model": Refusal, "description": "Too much to do, or no model of digits here"},
}
ASKED: dict[int | str, dict[str, Any]] = {
    400: {"model": Refusal, "description": "A body that is no text"},
    408: {"model": Refusal, "description": "A body that comes too slowly"},
    413: {"model": Refusal, "description": "A body that is too long"},
    422: {"model": Refusal, "description": "Something that the service does not take"},
}


class Service:
    """The endpoints, and what they answer with.

    Args:
        candidates: that judge reviews; the first is the service's own.
        digits: that reads drawings; None refuses them.
        limits: of what is taken on.

    Attributes:
        ending: whether the service is about to end, so that nobody should begin anything.
        measured: for /metrics.

    """

    def __init__(
        self, candidates: Sequence[Sentiment], digits: ImageClassifier | None, limits: Limits
    ) -> None:
        self.ending = False
        self.measured = Metrics()
        self._model, self._digits, self._limits = candidates[0], digits, limits
        self._candidates = candidates
        # One thread asks the model, so that batches form while it computes.
        self._predicting = ThreadPoolExecutor(1, "predict")
        observe = self.measured.batches.observe
        self._batcher = Batcher(self._judged, self._predicting, limits.waiting, observe)
        # One thread each, so that none waits for what another asks.
        self._explaining, self._comparing, self._drawing, self._reading = (
            CapacityLimiter(1) for _ in range(4)
        )

    @asynccontextmanager
    async def running(self, _: FastAPI) -> AsyncIterator[None]:
        """Answer while the service runs."""
        # Threads that read files: with 40, 200 clients who asked for some kept /health for 0.6 s.
        to_thread.current_default_thread_limiter().total_tokens = READERS
        task = asyncio.create_task(self._batcher.run())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        self._predicting.shutdown()

    async def predict(self, asked: Texts) -> Predictions:
        """Say of reviews whether they are positive, or of which class, and how likely."""
        try:
            found = await self._batcher(asked.texts)
        except BusyError:
            raise busy() from None
        return Predictions(
            model=self._model.name,
            threshold=self._model.threshold,
            predictions=[
                (Prediction if isinstance(answer, Answer) else ClassPrediction)(**answer._asdict())
                for answer in _answers(found)
            ],
        )

    async def explain(self, asked: Text) -> ClassExplanation | Explanation:
        """Say which words push a review which way, and what each of its clauses is alone."""
        found = await self._aside(self._explaining, self._explained, asked.text)
        kind = Explanation if isinstance(found.answer, Answer) else ClassExplanation
        return kind(
            model=self._model.name,
            threshold=self._model.threshold,
            **found.answer._asdict(),
            words=[Word(**word._asdict()) for word in found.words],
            clauses=[
                Clause(text=part, **answer._asdict()) for part, answer in found.clauses[:CLAUSES]
            ],
        )

    async def compare(self, asked: Text) -> Comparison:
        """Say what each model that is here makes of a review, and how good it was in the test."""
        return await self._aside(self._comparing, self._compared, asked.text)

    async def digit(self, asked: Drawing) -> Digit:
        """Read a digit that is drawn in black on white."""
        if self._digits is None:
            raise HTTPException(503, "there is no model of digits here")
        return await self._aside(self._drawing, self._read, self._digits, asked.image)

    async def models(self) -> Models:
        """Return the test metrics of all models and of their baselines."""
        answering = {each.name: each.measured for each in self._candidates}
        rows = await self._aside(self._reading, metrics.rows, answering)
        return Models(models=[Model(**row) for row in rows])

    async def health(self) -> Health:
        """Say that the service lives, however much it has to do."""
        return Health(
            status="ok",
            model=self._model.name,
            digits=self._digits.name if self._digits else None,
            version=VERSION,
        )

    async def ready(self) -> Ready:
        """Say whether the service takes requests now: neither full nor about to end."""
        if self.ending:
            raise HTTPException(503, "the service is about to end", LATER)
        if self._batcher.full:
            raise busy()
        return Ready(status="ready")

    async def metrics(self) -> Response:
        """Tell Prometheus what was asked and how fast it was answered."""
        return Response(generate_latest(self.measured.registry), media_type=CONTENT_TYPE_LATEST)

    async def page(self) -> FileResponse:
        """Return the page for the browser."""
        return FileResponse(PAGE / "index.html")

    async def _aside(
        self, lane: CapacityLimiter, work: Callable[..., Result], *arguments: Any
    ) -> Result:
        """Do something that takes long in another thread, unless many wait for that already."""
        if lane.statistics().tasks_waiting >= WAITING:
            raise busy()
        try:
            return await to_thread.run_sync(work, *arguments, limiter=lane)
        except ReproError as error:
            raise HTTPException(422, str(error)) from None

    def _judged(self, texts: Sequence[str]) -> list[Judged]:
        """Return what becomes of each text; takes long."""
        cleared = [self._cleared(text) for text in texts]
        whole = [text for text in cleared if isinstance(text, str)]
        found = iter(self._model.answers(whole) if whole else ())
        return [next(found) if isinstance(text, str) else text for text in cleared]

    def _cleared(self, text: str) -> str | ReproError:
        try:
            check_text(text)
            return self._model.cleared(text)
        except ReproError as error:
            return error

    def _explained(self, text: str) -> explanation.Explanation:
        check_text(text)
        return self._model.explain(text)

    def _compared(self, text: str) -> Comparison:
        check_text(text)
        found = comparison.judged(self._candidates, text)
        return Comparison(models=[Compared(**each) for each in found])

    def _read(self, digits: ImageClassifier, image: str) -> Digit:
        found = digits.probabilities(_decoded(image), "the drawing", self._limits.pixels)
        likely = dict(zip(digits.labels, map(float, found), strict=True))
        label = max(likely, key=likely.__getitem__)
        return Digit(label=label, probability=likely[label], probabilities=likely)


def _answers(found: Iterable[Judged]) -> Iterable[AnyAnswer]:
    """Return answers if there is one to each text."""
    for judged in found:
        if isinstance(judged, ReproError):
            raise HTTPException(422, str(judged))
        yield judged


def _decoded(image: str) -> io.BytesIO:
    if not image.startswith(PNG):
        raise ReproError(f"the image begins with {image[:22]!r}; expected {PNG!r}")
    try:
        return io.BytesIO(base64.b64decode(image.removeprefix(PNG), validate=True))
    except (binascii.Error, ValueError):
        raise ReproError("the image is no base64; expected a PNG in base64") from None


def create(service: Service, limits: Limits, hosts: Iterable[str]) -> FastAPI:
    """Return a service as an ASGI application.

    Args:
        service: with the endpoints.
        limits: of what is taken on.
        hosts: names that requests may be for, beside local ones.

    """
    app: FastAPI = FastAPIOffline(
        title="keras-repro",
        version=VERSION,
        description="The sentiment of Chinese reviews, and handwritten digits.",
        lifespan=service.running,
        swagger_ui_oauth2_redirect_url="/docs/oauth2-redirect",
        responses=ALL,
    )
    app.mount("/page", StaticFiles(directory=PAGE), name="page")
    app.post("/predict", responses=ASKED)(service.predict)
    app.post("/explain", responses=ASKED)(service.explain)
    app.post("/compare", responses=ASKED)(service.compare)
    app.post("/digit", responses=ASKED)(service.digit)
    app.get("/models")(service.models)
    app.get("/health")(service.health)
    app.get("/ready")(service.ready)
    app.get("/metrics", include_in_schema=False)(service.metrics)
    app.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)(service.page)
    app.add_exception_handler(RequestValidationError, _refuse)
    paths = {route.path for route in app.routes if isinstance(route, Route)}
    app.add_middleware(
        Guard,
        limits=limits,
        hosts=hosts,
        metrics=service.measured,
        known=paths.__contains__,
    )
    return app


async def _refuse(_: Request, error: Exception) -> JSONResponse:
    """Say what is wrong without what was sent, which may be long, or nothing that JSON can hold."""
    faults = error.errors() if isinstance(error, RequestValidationError) else ()
    detail = [
        {"loc": [_cut(part) for part in fault["loc"]], "msg": fault["msg"]}
        for fault in faults[:FAULTS]
    ]
    return JSONResponse({"detail": detail}, 422)


def _cut(part: str | int) -> str | int:
    return part[:KEY] if isinstance(part, str) else part
