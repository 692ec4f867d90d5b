"""The process that serves: where it listens, and how it ends."""

import asyncio
import gc
import logging
import signal
import socket
import sys
from pathlib import Path

import uvicorn

from keras_repro.bundles.images import ImageClassifier
from keras_repro.bundles.sentiment import Sentiment
from keras_repro.core.errors import ReproError
from keras_repro.serving import comparison, connections, logs
from keras_repro.serving.service import Service, create
from keras_repro.serving.settings import BACKLOG, Settings, within_open_files

log = logging.getLogger(__name__)

GRACE = 10  # seconds for requests that are being answered when the service is told to end


class _Server(uvicorn.Server):
    """Says that it is about to end, and goes on answering for a while, before it does."""

    def __init__(self, config: uvicorn.Config, service: Service, drain: float) -> None:
        super().__init__(config)
        self._service, self._drain = service, drain

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._service.ending = True
        await asyncio.sleep(self._drain)
        await super().shutdown(sockets)


def serve(directory: Path, digits: Path | None, settings: Settings) -> None:
    """Answer until SIGINT or SIGTERM; requests that are being answered then are finished.

    Args:
        directory: the bundle of a sentiment model; others beside it are asked for comparison.
        digits: the bundle of a model of digits.
        settings: how it is run.

    Raises:
        ReproError: a bundle is damaged, or the port is taken.

    """
    if settings.log_json:
        logs.as_json()
    # To end as told is no failure; uvicorn raises the signal once more when it has ended.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    limits = within_open_files(settings.limits)
    # One thread: the other cores read requests.
    model = Sentiment(directory, threads=1)
    reader = ImageClassifier(digits, 1) if digits else None
    service = Service(comparison.candidates(directory, model), reader, limits)
    app = create(service, limits, [*settings.hosts, settings.host])
    # What is loaded stays: to look through it for garbage would stop all for up to 0.3 s.
    gc.collect()
    gc.freeze()
    with _listening(settings.host, settings.port) as listener:
        address, chosen = listener.getsockname()[:2]
        shown = f"[{address}]" if ":" in address else address
        log.info("http://%s:%d answers until Ctrl-C", shown, chosen)
        config = uvicorn.Config(
            app,
            http=connections.within(limits),
            ws="none",
            log_config=None,
            access_log=False,
            backlog=BACKLOG,
            timeout_graceful_shutdown=GRACE,
        )
        _Server(config, service, settings.drain).run(sockets=[listener])


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
