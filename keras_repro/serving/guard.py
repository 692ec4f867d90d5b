"""What stands between the network and the service: limits, counts, headers, a line of the log."""

import asyncio
import ipaddress
import logging
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from contextlib import nullcontext
from urllib.parse import urlsplit

from anyio import CapacityLimiter
from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from keras_repro.serving.settings import HELD, LARGE, LARGE_AT_ONCE, WAITING, Limits

log = logging.getLogger(__name__)
# A line each, where the log is for machines.
requests = logging.getLogger("keras_repro.requests")
requests.setLevel(logging.WARNING)

# Nothing is loaded from elsewhere, and nothing on the page runs that is not a file of ours.
POLICY = "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'"
# The documentation of the API starts its viewer from within the page.
DOCUMENTATION_POLICY = (
    "default-src 'self'; img-src 'self' data:; "
    "style-src 'self' 'unsafe-inline'; script-src 'self' 'unsafe-inline'"
)
DOCUMENTATION = ("/docs", "/redoc")
# The rest of such a body is not read, so the connection cannot serve another request.
CLOSE = {"connection": "close"}
LATER = {"retry-after": "1"}
LOCAL = ("localhost", "127.0.0.1", "::1")


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
    """Refuses what is too much, too slow or for someone else; sets headers, counts, logs.

    Args:
        app: the service.
        limits: of what is taken on.
        hosts: names that a request may be for, beside local ones and addresses; `*`: any.
        metrics: that are kept.
        known: whether a path is one of the service's; others are counted together.

    """

    def __init__(
        self,
        app: ASGIApp,
        limits: Limits,
        hosts: Iterable[str],
        metrics: Metrics,
        known: Callable[[str], bool],
    ) -> None:
        self._app, self._limits, self._metrics, self._known = app, limits, metrics, known
        self._hosts = {*LOCAL, *(host.lower() for host in hosts)}
        self._held = 0  # bytes of all bodies
        self._large = CapacityLimiter(LARGE_AT_ONCE)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path = scope["path"] if self._known(scope["path"]) else "other"
        started, status = time.perf_counter(), 0

        async def counted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                self._metrics.requests.labels(path, status).inc()
                message["headers"] = [*message.get("headers", ()), *_headers(scope["path"])]
            await send(message)

        async def say(refusal: HTTPException) -> None:
            content = {"detail": refusal.detail}
            answer = JSONResponse(content, refusal.status_code, refusal.headers)
            await answer(scope, receive, counted)

        try:
            await self._admitted(scope, receive, counted)
        except HTTPException as refusal:
            if not status:
                await say(refusal)
        except Exception as error:  # noqa: BLE001 - whatever it is, its client hears of it
            # Without its message, which may have a text in it.
            where = "".join(traceback.format_tb(error.__traceback__))
            log.error("%s: %s\n%s", path, type(error).__name__, where)  # noqa: TRY400 - see above
            if not status:
                await say(HTTPException(500, "an error of the service; its log has more"))
        finally:
            seconds = time.perf_counter() - started
            self._metrics.seconds.labels(path).observe(seconds)
            if requests.isEnabledFor(logging.INFO):
                told = {"method": scope["method"], "path": path, "status": status}
                requests.info("request", extra=told | {"milliseconds": round(seconds * 1000, 2)})

    async def _admitted(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in that is for us and has arrived in time.

        Raises:
            HTTPException: it is refused.

        """
        if not self._is_ours(scope):
            raise HTTPException(421, "the name of another host (--allow-host NAME allows it)")
        body = bytearray()
        try:
            if await self._has_arrived(scope, receive, body):
                await self._answered(scope, receive, send, bytes(body))
        finally:
            self._held -= len(body)

    def _is_ours(self, scope: Scope) -> bool:
        """Tell whether a request is for a name of ours.

        A page of evil.example can lead its name to this machine and then ask as if it were of one
        origin with us. It cannot do so with an address.
        """
        if "*" in self._hosts:
            return True
        named = (value.decode("latin-1") for name, value in scope["headers"] if name == b"host")
        return all(self._is_allowed(host) for host in named)

    def _is_allowed(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
            return name in self._hosts or bool(ipaddress.ip_address(name))
        except ValueError:
            return False

    async def _has_arrived(self, scope: Scope, receive: Receive, body: bytearray) -> bool:
        """Read a body; return whether the client has waited until its end.

        A body in chunks does not say how long it is, so it is read before anything else sees it.
        """
        limit, seconds = self._limits.body, self._limits.seconds
        too_long = f"a body of more than {limit:,} bytes; expected at most these"
        stated = dict(scope["headers"]).get(b"content-length", b"0")
        # As much again is read for nothing: who is still sending would see no answer.
        most = 2 * limit
        if stated.isdigit() and int(stated) > most:
            raise HTTPException(413, too_long, CLOSE)
        length, more = 0, True
        try:
            async with asyncio.timeout(seconds):
                while more and length <= most:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        return False
                    chunk, more = message.get("body", b""), message.get("more_body", False)
                    length += len(chunk)
                    if length <= limit:
                        body += chunk
                        self._held += len(chunk)
                    if self._held > max(HELD, limit):
                        raise busy(CLOSE | LATER)
        except TimeoutError:
            late = f"a body that was not whole within {seconds:g} seconds; expected a faster one"
            raise HTTPException(408, late, CLOSE) from None
        if length > limit:
            raise HTTPException(413, too_long, CLOSE)
        return True

    async def _answered(self, scope: Scope, receive: Receive, send: Send, body: bytes) -> None:
        messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def again() -> Message:
            return messages.pop() if messages else await receive()

        is_large = len(body) > LARGE
        if is_large and self._large.statistics().tasks_waiting >= WAITING:
            raise busy()
        deadline = asyncio.timeout(self._limits.seconds)
        try:
            async with deadline, self._large if is_large else nullcontext():
                await self._app(scope, again, send)
        except TimeoutError:
            if not deadline.expired():
                raise
            late = f"no answer within {self._limits.seconds:g} seconds"
            raise HTTPException(503, late, CLOSE | LATER) from None


def busy(headers: Mapping[str, str] = LATER) -> HTTPException:
    """Return the refusal of what would have to wait behind too many others."""
    return HTTPException(503, "too many requests at once", headers)


def _headers(path: str) -> list[tuple[bytes, bytes]]:
    policy = DOCUMENTATION_POLICY if path in DOCUMENTATION else POLICY
    return [
        (b"content-security-policy", policy.encode()),
        (b"x-content-type-options", b"nosniff"),
        (b"referrer-policy", b"no-referrer"),
        # Asked for anew each time, so that an upgrade never mixes modules of two versions.
        (b"cache-control", b"no-cache"),
    ]
