"""Connections whose clients may be slow or silent without keeping others out."""

import asyncio
from typing import Any, ClassVar

from uvicorn.protocols.http.auto import AutoHTTPProtocol

from keras_repro.serving.settings import Limits

# Bytes before the body; uvicorn itself reads as many as come.
LONGEST_HEAD = 1 << 16
# Seconds in which a client is expected to have sent a short request.
YOUNG = 0.5

_Protocol: Any = AutoHTTPProtocol  # one of two classes, as packages are installed


class _Connection(_Protocol):
    """uvicorn's protocol with a deadline and a length for the head of each request.

    A client that takes nothing of an answer for as long is left. Beyond the number of connections
    the oldest is closed whose client is waited for.
    """

    limits: ClassVar[Limits]
    _reading: asyncio.TimerHandle | None = None
    _writing: asyncio.TimerHandle | None = None
    since = 0.0  # when it was made, or its last request began
    _head = 0  # bytes of a head that is not whole

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.since = self.loop.time()
        self._reading = self._deadline()
        if len(self.connections) > self.limits.connections:
            self._make_room()

    def data_received(self, data: bytes) -> None:
        cycle = self.cycle
        of_body = cycle is not None and cycle.more_body and not cycle.response_complete
        super().data_received(data)
        if self.cycle is not cycle:  # a head is whole
            self.since, self._head = self.loop.time(), 0
            self._reading = _cancelled(self._reading)
        elif not of_body:
            self._head += len(data)
            if self._head > LONGEST_HEAD:
                self.transport.abort()
            self._reading = self._reading or self._deadline()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._writing = self._writing or self._deadline()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._writing = _cancelled(self._writing)

    def connection_lost(self, exc: Exception | None) -> None:
        self._reading, self._writing = _cancelled(self._reading), _cancelled(self._writing)
        super().connection_lost(exc)

    def _deadline(self) -> asyncio.TimerHandle:
        timer: asyncio.TimerHandle = self.loop.call_later(self.limits.seconds, self.transport.abort)
        return timer

    def waits(self) -> bool:
        """Tell whether the client has to send or to take something, or has asked ahead."""
        cycle = self.cycle  # of the last request that has come
        return (
            cycle is None
            or cycle.more_body
            or cycle.response_started
            or self.flow.write_paused
            or bool(getattr(self, "pipeline", None))
        )

    def _make_room(self) -> None:
        """Close the oldest whose client is waited for; where all are new or busy, the oldest."""
        before = self.loop.time() - YOUNG
        waiting = [each for each in self.connections if each.since < before and each.waits()]
        oldest = min(waiting or self.connections, key=lambda each: each.since)
        self.connections.discard(oldest)
        oldest.transport.abort()


def _cancelled(timer: asyncio.TimerHandle | None) -> asyncio.TimerHandle | None:
    """Return none in place of a timer."""
    if timer is not None:
        timer.cancel()
    return None


def within(limits: Limits) -> type[asyncio.Protocol]:
    """Return the protocol with its limits."""
    return type("Connection", (_Connection,), {"limits": limits})
