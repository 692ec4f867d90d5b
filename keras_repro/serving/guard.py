"""What stands between the network and the service: limits, counts, headers."""

import time
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Nothing is loaded from elsewhere, and nothing on the page runs that is not a file of ours.
POLICY = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'"
# The documentation of the API starts its viewer from within the page.
DOCUMENTATION_POLICY = (
    "default-src 'self'; img-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'"
)
DOCUMENTATION = ("/docs", "/redoc")


class Metrics:
    """What /metrics tells.

    Attributes:
        registry: with all of them.
        requests: by path and status.
        seconds: that a request took, by path.
        batches: of reviews that the model answered together.

    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.requests = Counter(
            "keras_repro_requests", "Answered requests", ["path", "status"], registry=self.registry
        )
        self.seconds = Histogram(
            "keras_repro_request_seconds",
            "From the first byte of a request to the last of its answer",
            ["path"],
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
            registry=self.registry,
        )
        self.batches = Histogram(
            "keras_repro_batch_reviews",
            "Reviews that the model answered together",
            buckets=(1, 2, 4, 8, 16, 32, 64, 128, 256),
            registry=self.registry,
        )


class Guard:
    """Refuses bodies that are too long, sets headers, counts what is answered.

    Args:
        app: the service.
        limit: of a body in bytes.
        metrics: that are kept.
        known: whether a path is one of the service's; others are counted together.

    """

    def __init__(
        self, app: ASGIApp, limit: int, metrics: Metrics, known: Callable[[str], bool]
    ) -> None:
        self._app, self._limit, self._metrics, self._known = app, limit, metrics, known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"] if self._known(scope["path"]) else "other"
        started = time.perf_counter()

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._metrics.requests.labels(path, message["status"]).inc()
                message["headers"] = [*message.get("headers", ()), *_headers(scope["path"])]
            await send(message)

        try:
            await self._limited(scope, receive, counted)
        finally:
            self._metrics.seconds.labels(path).observe(time.perf_counter() - started)

    async def _limited(self, scope: Scope, receive: Receive, send: Send) -> None:
        stated = dict(scope["headers"]).get(b"content-length", b"0")
        if stated.isdigit() and int(stated) > self._limit:
            await self._refuse(scope, receive, send)
            return
        # A body in chunks does not say how long it is, so it is read before anything else sees it.
        messages, length, more = [], 0, True
        while more:
            message = await receive()
            messages.append(message)
            length += len(message.get("body", b""))
            more = message["type"] == "http.request" and message.get("more_body", False)
            if length > self._limit:
                await self._refuse(scope, receive, send)
                return

        async def again() -> Message:
            return messages.pop(0) if messages else await receive()

        await self._app(scope, again, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        detail = f"a body of more than {self._limit:,} bytes; expected at most these"
        # The rest of the body is not read, so the connection cannot serve another request.
        refusal = JSONResponse({"detail": detail}, 413, {"connection": "close"})
        await refusal(scope, receive, send)


def _headers(path: str) -> list[tuple[bytes, bytes]]:
    policy = DOCUMENTATION_POLICY if path in DOCUMENTATION else POLICY
    return [
        (b"content-security-policy", policy.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        # Asked for anew each time, so that an upgrade never mixes modules of two versions.
        (b"cache-control", b"no-cache"),
    ]
