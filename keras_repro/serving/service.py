"""A model as an HTTP service, with a page for the browser."""

import asyncio
import base64
import binascii
import io
import logging
import socket
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from importlib import metadata
from pathlib import Path
from typing import Any, TypeVar

import uvicorn
from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse, JSONResponse, Response
from fastapi.staticfiles import StaticFiles
from fastapi_offline import FastAPIOffline
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.routing import Route

from keras_repro.bundles.images import ImageClassifier
from keras_repro.bundles.sentiment import Explainer, Sentiment
from keras_repro.core.errors import ReproError
from keras_repro.serving import metrics
from keras_repro.serving.batching import Batcher
from keras_repro.serving.guard import Guard, Metrics
from keras_repro.serving.messages import (
    MAX_BODY,
    PNG,
    Digit,
    Drawing,
    Explanation,
    Health,
    Model,
    Models,
    Prediction,
    Predictions,
    Refusal,
    Text,
    Texts,
    Word,
)

log = logging.getLogger(__name__)

Answer = TypeVar("Answer")
PAGE = Path(__file__).parent / "page"
VERSION = metadata.version("keras-repro")
GRACE = 10  # seconds for requests that are being answered when the service is told to end

REFUSALS: dict[int | str, dict[str, object]] = {
    400: {"model": Refusal, "description": "A body that is no text"},
    413: {"model": Refusal, "description": f"A body of more than {MAX_BODY:,} bytes"},
    422: {"model": Refusal, "description": "Something that the service does not take"},
}
NO_DIGITS: dict[int | str, dict[str, object]] = {
    503: {"model": Refusal, "description": "No model of digits here"}
}


class Service:
    """The endpoints, and what they answer with.

    Args:
        model: that judges reviews.
        digits: that reads drawings; None refuses them.

    """

    def __init__(self, model: Sentiment, digits: ImageClassifier | None) -> None:
        self.measured = Metrics()
        self._model, self._digits = model, digits
        # One thread asks the model, so that batches form while it computes; one explains.
        self._predicting, self._explaining = (
            ThreadPoolExecutor(1, name) for name in ("predict", "explain")
        )
        self._batcher = Batcher(model.answers, self._predicting, self.measured.batches.observe)
        self._explain = Explainer(model)

    @asynccontextmanager
    async def running(self, _: FastAPI) -> AsyncIterator[None]:
        """Answer while the service runs."""
        task = asyncio.create_task(self._batcher.run())
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
        self._predicting.shutdown()
        self._explaining.shutdown()

    async def predict(self, asked: Texts) -> Predictions:
        """Say of reviews whether they are positive, and how likely."""
        found = await self._batcher([self._cleared(text) for text in asked.texts])
        return Predictions(
            model=self._model.name,
            threshold=self._model.threshold,
            predictions=[Prediction(**answer._asdict()) for answer in found],
        )

    async def explain(self, asked: Text) -> Explanation:
        """Say which words push a review which way: what changes where each is left out."""
        text = self._cleared(asked.text)
        (answer,) = await self._batcher([text])
        words = await self._aside(self._explain, text)
        return Explanation(
            model=self._model.name,
            threshold=self._model.threshold,
            **answer._asdict(),
            words=[Word(word=word, effect=effect) for word, effect in words],
        )

    async def digit(self, asked: Drawing) -> Digit:
        """Read a digit that is drawn in black on white."""
        if self._digits is None:
            raise HTTPException(503, "there is no model of digits here")
        picture = _decoded(asked.image)
        try:
            found = await self._aside(self._digits.probabilities, picture, "the drawing")
        except ReproError as error:
            raise HTTPException(422, str(error)) from None
        likely = dict(zip(self._digits.labels, map(float, found), strict=True))
        label = max(likely, key=likely.__getitem__)
        return Digit(label=label, probability=likely[label], probabilities=likely)

    async def models(self) -> Models:
        """Return the test metrics of all models and of their baselines."""
        return Models(models=[Model(**row) for row in metrics.rows()])

    async def health(self) -> Health:
        """Say that the service answers."""
        return Health(
            status="ok",
            model=self._model.name,
            digits=self._digits.name if self._digits else None,
            version=VERSION,
        )

    async def metrics(self) -> Response:
        """Tell Prometheus what was asked and how fast it was answered."""
        return Response(generate_latest(self.measured.registry), media_type=CONTENT_TYPE_LATEST)

    async def page(self) -> FileResponse:
        """Return the page for the browser."""
        return FileResponse(PAGE / "index.html")

    def _cleared(self, text: str) -> str:
        try:
            return self._model.cleared(text)
        except ReproError as error:
            raise HTTPException(422, str(error)) from None

    async def _aside(self, work: Callable[..., Answer], *arguments: Any) -> Answer:
        """Do something that takes long without keeping others waiting."""
        return await asyncio.get_running_loop().run_in_executor(self._explaining, work, *arguments)


def create(model: Sentiment, digits: ImageClassifier | None) -> FastAPI:
    """Return the service as an ASGI application."""
    service = Service(model, digits)
    app: FastAPI = FastAPIOffline(
        title="keras-repro",
        version=VERSION,
        description="The sentiment of Chinese reviews, and handwritten digits.",
        lifespan=service.running,
        swagger_ui_oauth2_redirect_url="/docs/oauth2-redirect",
    )
    app.mount("/page", StaticFiles(directory=PAGE), name="page")
    app.post("/predict", responses=REFUSALS)(service.predict)
    app.post("/explain", responses=REFUSALS)(service.explain)
    app.post("/digit", responses=REFUSALS | NO_DIGITS)(service.digit)
    app.get("/models")(service.models)
    app.get("/health")(service.health)
    app.get("/metrics", include_in_schema=False)(service.metrics)
    app.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)(service.page)
    app.add_exception_handler(RequestValidationError, _refuse)
    app.add_exception_handler(Exception, _apologise)
    paths = {route.path for route in app.routes if isinstance(route, Route)}
    app.add_middleware(Guard, limit=MAX_BODY, metrics=service.measured, known=paths.__contains__)
    return app


async def _refuse(_: Request, error: Exception) -> JSONResponse:
    """Say what is wrong without what was sent, which may be long, or nothing that JSON can hold."""
    faults = error.errors() if isinstance(error, RequestValidationError) else ()
    detail = [{"loc": list(fault["loc"]), "msg": fault["msg"]} for fault in faults]
    return JSONResponse({"detail": detail}, 422)


async def _apologise(_: Request, __: Exception) -> JSONResponse:
    """Keep the traceback for the log, where Starlette writes it."""
    return JSONResponse({"detail": "an error of the service; its log has more"}, 500)


def _decoded(image: str) -> io.BytesIO:
    if not image.startswith(PNG):
        raise HTTPException(422, f"the image begins with {image[:22]!r}; expected {PNG!r}")
    try:
        return io.BytesIO(base64.b64decode(image.removeprefix(PNG), validate=True))
    except (binascii.Error, ValueError):
        raise HTTPException(422, "the image is no base64; expected a PNG in base64") from None


def serve(directory: Path, digits: Path | None, host: str, port: int) -> None:
    """Answer until SIGINT or SIGTERM; requests that are being answered then are finished.

    Args:
        directory: the bundle of a sentiment model.
        digits: the bundle of a model of digits.
        host: the address to listen on.
        port: to listen on; 0 takes any that is free.

    Raises:
        ReproError: a bundle is damaged, or the port is taken.

    """
    # One thread: the other cores read requests.
    app = create(Sentiment(directory, threads=1), ImageClassifier(digits, 1) if digits else None)
    with _listening(host, port) as listener:
        address, chosen = listener.getsockname()[:2]
        shown = f"[{address}]" if ":" in address else address
        log.info("http://%s:%d answers until Ctrl-C", shown, chosen)
        config = uvicorn.Config(
            app, log_level="warning", access_log=False, timeout_graceful_shutdown=GRACE
        )
        uvicorn.Server(config).run(sockets=[listener])


def _listening(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen()  # who comes before the model is loaded waits
    except (OSError, OverflowError) as error:
        listener.close()
        reason = error.strerror if isinstance(error, OSError) else str(error)
        raise ReproError(
            f"{host}:{port}: cannot listen there ({reason}); expected an address of this machine "
            "and a free port (--port 0 takes any)"
        ) from None
    return listener
