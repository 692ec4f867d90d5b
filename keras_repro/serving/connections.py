"""Connections whose clients may be slow or silent without keeping others out."""

import asyncio
from typing import Any, ClassVar

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from keras_repro.serving.settings import Limits

# Bytes before the body; uvicorn itself reads as many as come.
LONGEST_HEAD = 1 << 16

_Protocol: Any = AutoHTTPProtocol  # one of two classes, as packages are installed


class _Connection(_Protocol):
    """uvicorn's protocol with a deadline and a length for the head of each request.

    Beyond the number of connections the oldest is closed whose client is waited for.
    """

    limits: ClassVar[Limits]
    _timer: asyncio.TimerHandle | None = None
    _since = 0.0  # when it was made, or its last request began
    _head = 0  # bytes of a head that is not whole

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._since = self.loop.time()
        self._wait()
        if len(self.connections) > self.limits.connections:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        cycle = self.cycle
        of_body = cycle is not None and cycle.more_body and not cycle.response_complete
        super().data_received(data)
        if self.cycle is not cycle:  # a head is whole
            self._since, self._head = self.loop.time(), 0
            self._stop_waiting()
        elif not of_body:
            self._head += len(data)
            if self._head > LONGEST_HEAD:
                self.transport.abort()
            elif self._timer is None:
                self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._timer = self.loop.call_later(self.limits.seconds, self.transport.abort)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _make_room(self) -> None:
        """Close the oldest whose client has not sent all of a request; there is one, this."""
        waiting = (
            each
            for each in self.connections
            if each.cycle is None or each.cycle.response_complete or each.cycle.more_body
        )
        oldest = min(waiting, key=lambda each: each._since)  # noqa: SLF001 - of this class
        self.connections.discard(oldest)
        oldest.transport.abort()


def within(limits: Limits) -> type[asyncio.Protocol]:
    """Return the protocol with its limits."""
    return type("Connection", (_Connection,), {"limits": limits})
