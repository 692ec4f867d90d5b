"""How the service is run, and what it takes on at most, so that no client can take it all."""

import argparse
import logging
from collections.abc import Sequence
from typing import NamedTuple

from keras_repro.core.errors import ReproError

log = logging.getLogger(__name__)

# Connections that the system keeps until they are accepted; one for which it has no room tries
# again after a second. All of them may be accepted before the first is closed.
BACKLOG = 1024
# Files that the process has open beside them.
OTHER_FILES = 64
# Bodies that are held in memory, together.
HELD = 64_000_000
# A body with more bytes can keep the event loop for up to 30 ms, which json takes for a megabyte of
# empty objects, so few of them are read at a time.
LARGE = 1 << 16
LARGE_AT_ONCE = 2
# Requests that wait for their turn to be such, for /explain, for /digit, and for /models.
WAITING = 16


class Limits(NamedTuple):
    """The limits that the command line sets.

    Attributes:
        body: bytes of a request.
        pixels: of a picture.
        waiting: texts that wait for the model.
        connections: that are open; beyond them the one that has sent nothing for longest is closed.
        seconds: in which a request has to arrive, and again in which it has to be answered.

    """

    body: int = 1_000_000
    pixels: int = 1 << 20
    waiting: int = 2048
    connections: int = 512
    seconds: float = 10.0


class Settings(NamedTuple):
    """How a service is run.

    Attributes:
        host: the address to listen on.
        port: to listen on; 0 takes any that is free.
        hosts: names that requests may be for, beside local ones; `*`: any.
        drain: seconds between a signal to end and the end, in which /ready says no.
        log_json: whether the log is for machines.
        limits: of what is taken on.

    """

    host: str
    port: int
    hosts: Sequence[str]
    drain: float
    log_json: bool
    limits: Limits


def add(parser: argparse.ArgumentParser) -> None:
    """Add the options of the service."""
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: %(default)s)"
    )
    parser.add_argument(
        "--port", type=int, default=8000, help="port to listen on (default: %(default)s; 0: any)"
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="a name that requests may be for, beside localhost and addresses; '*': any",
    )
    parser.add_argument(
        "--drain",
        type=float,
        default=0,
        metavar="SECONDS",
        help="for which it goes on, and /ready says no, when told to end (default: %(default)s)",
    )
    parser.add_argument(
        "--log-json", action="store_true", help="log as JSON, with a line for each request"
    )
    for name, unit, about in (
        ("body", "BYTES", "of a request"),
        ("pixels", "N", "of a picture"),
        ("waiting", "TEXTS", "that wait for the model"),
        ("connections", "N", "that are open"),
        ("seconds", "N", "for a request to arrive, and again to be answered"),
    ):
        default = Limits._field_defaults[name]
        parser.add_argument(
            f"--max-{name}",
            type=type(default),
            default=default,
            metavar=unit,
            help=f"{about} (default: %(default)s)",
        )


def given(arguments: argparse.Namespace) -> Settings:
    """Return the settings that the options say.

    Raises:
        ReproError: one of them is no amount.

    """
    limits = Limits(**{name: getattr(arguments, f"max_{name}") for name in Limits._fields})
    for name, value in limits._asdict().items():
        if not value > 0:
            raise ReproError(f"--max-{name} {value}; expected more than 0")
    if not arguments.drain >= 0:
        raise ReproError(f"--drain {arguments.drain}; expected 0 or more")
    return Settings(
        host=arguments.host,
        port=arguments.port,
        hosts=arguments.allow_host,
        drain=arguments.drain,
        log_json=arguments.log_json,
        limits=limits,
    )


def within_open_files(limits: Limits) -> Limits:
    """Return limits whose connections the operating system allows; raises its limit if need be."""
    import resource  # which Windows lacks, and whoever only asks a model does without

    # Each may be sent a file.
    wanted = 2 * limits.connections + BACKLOG + OTHER_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return limits
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    # A third of what is left: as many may be accepted before one is closed.
    connections = min(limits.connections, max(1, (allowed - OTHER_FILES) // 3))
    if connections < limits.connections:
        log.warning("%d connections at most, since `ulimit -n` is %d", connections, allowed)
    return limits._replace(connections=connections)
