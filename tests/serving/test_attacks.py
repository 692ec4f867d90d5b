"""What one client does to the service, while another measures /health."""

import asyncio
import base64
import concurrent.futures
import contextlib
import io
import json
import re
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial

import httpx
import numpy as np
import psutil
import pytest
from conftest import Project, Serving, called
from PIL import Image
from starlette.requests import Request
from starlette.types import Message, Receive, Scope, Send

from keras_repro.serving import command
from keras_repro.serving.guard import Guard, Metrics
from keras_repro.serving.settings import Limits

TEXT = "房间很干净，服务也好"
PNG = "data:image/png;base64,"
# Each request on a connection of its own; to make a client each time takes longer than an answer.
CLIENT = httpx.Client(
    timeout=60, limits=httpx.Limits(max_connections=None, max_keepalive_connections=0)
)
# What /health may take, in seconds, without the time in which other processes had the core.
SLOWEST = 0.2
# A process of its own, since Python's threads share one core: a new connection each 10 ms.
WATCH = """
import http.client, sys, threading, time
from pathlib import Path

port, service = sys.argv[1:]
ended = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()

def now():
    waits = (Path(f"/proc/{process}/schedstat").read_text() for process in ("self", service))
    return time.perf_counter() - sum(int(each.split()[1]) for each in waits) / 1e9

slowest = count = 0
print("begun", flush=True)
while not ended.wait(0.01):
    started = now()
    connection = http.client.HTTPConnection("127.0.0.1", int(port), timeout=60)
    connection.request("GET", "/health")
    assert connection.getresponse().status == 200
    connection.close()
    slowest, count = max(slowest, now() - started), count + 1
print(count, slowest)
"""


@contextlib.contextmanager
def watched(url: str) -> Iterator[None]:
    """Measure /health from another process while the block runs."""
    port = httpx.URL(url).port
    listening = (each for each in psutil.net_connections("tcp") if each.status == "LISTEN")
    service = next(each.pid for each in listening if each.laddr.port == port)
    with subprocess.Popen(
        [sys.executable, "-c", WATCH, str(port), str(service)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield
        told, _ = process.communicate("")
    count, slowest = told.split()
    print(f"/health: {count} times, at most {float(slowest) * 1000:.0f} ms")  # noqa: T201 - with -s
    assert int(count) > 2
    assert float(slowest) < SLOWEST


def at_once(ask: Callable[[], httpx.Response], clients: int) -> list[httpx.Response]:
    with concurrent.futures.ThreadPoolExecutor(clients) as executor:
        return [each.result() for each in [executor.submit(ask) for _ in range(clients)]]


def posting(url: str, content: object) -> Callable[[], httpx.Response]:
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    headers = {"content-type": "application/json"}
    return lambda: CLIENT.post(url, content=body, headers=headers)


def connected(url: str) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", httpx.URL(url).port), timeout=60)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def head(length: int) -> bytes:
    return (
        "POST /predict HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n"
        f"content-length: {length}\r\n\r\n"
    ).encode()


def answer(connection: socket.socket) -> str:
    """Return what comes until the service closes the connection."""
    found = b""
    with contextlib.suppress(ConnectionResetError):
        while more := connection.recv(1 << 16):
            found += more
    return found.decode()


def drawn(width: int, height: int, format_: str = "PNG") -> str:
    file = io.BytesIO()
    Image.fromarray(np.full((height, width), 255, np.uint8)).save(file, format_)
    return PNG + base64.b64encode(file.getvalue()).decode()


class TestBodies:
    @pytest.mark.parametrize(
        ("texts", "expected"),
        [
            (["\u0301" * 10_000] * 20, "10,000 marks on one letter; expected at most 30"),
            (["好" + "\u0301\u0323" * 4_999] * 20, "9,998 marks on one letter"),
            (["\ufdfa" * 10_000] * 33, "a text of 180,000 characters; expected 1 to 10,000"),
        ],
    )
    def test_texts_that_take_long_to_normalise(
        self, service: str, texts: list[str], expected: str
    ) -> None:
        with watched(service):
            answers = at_once(posting(f"{service}/predict", {"texts": texts}), 8)
        assert {answer.status_code for answer in answers} == {422}
        assert all(answer.json()["detail"].startswith(expected) for answer in answers)

    @pytest.mark.parametrize(
        "content",
        [
            dict.fromkeys(map(str, range(90_000)), 1),
            {"x" * 900_000: 1},
            {"texts": [5] * 400_000},
            {"texts": ["a"] * 240_000},
            {"texts": [{}] * 300_000},
            {"image": "?" * 900_000},
        ],
        ids=["keys", "a long key", "numbers", "texts", "objects", "no image"],
    )
    def test_faults_without_number(self, service: str, content: object) -> None:
        with watched(service):
            answers = [
                answer
                for path in ("predict", "explain", "compare", "digit")
                for answer in at_once(posting(f"{service}/{path}", content), 8)
            ]
        assert {answer.status_code for answer in answers} == {422}
        assert max(len(answer.content) for answer in answers) < 3_000

    def test_a_byte_per_packet(self, service: str) -> None:
        with watched(service), connected(service) as connection:
            connection.sendall(head(80_000))
            for _ in range(80_000):
                connection.sendall(b" ")
            assert connection.recv(12) == b"HTTP/1.1 422"

    def test_a_byte_per_message_takes_time_for_each_and_no_more(self) -> None:
        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            assert len(await Request(scope, receive).body()) == scope["length"]

        async def send(message: Message) -> None:
            pass

        def seconds(length: int) -> float:
            messages = iter(range(length, 0, -1))

            async def receive() -> Message:
                left = next(messages)
                return {"type": "http.request", "body": b" ", "more_body": left > 1}

            scope = {"type": "http", "path": "/", "method": "POST", "headers": [], "length": length}
            guard = Guard(app, Limits(), (), Metrics(), bool)
            started = time.process_time()
            asyncio.run(guard(scope, receive, send))
            return time.process_time() - started

        assert seconds(800_000) < 12 * seconds(200_000)  # 4 is linear; it was 16 and more

    def test_many_that_are_not_whole(self, small_run: Project) -> None:
        with Serving(small_run, "--max-seconds", "3") as serving:
            process = psutil.Process(serving.process.pid)
            before = process.memory_info().rss
            halves = [connected(serving.url) for _ in range(400)]
            with watched(serving.url):
                for connection in halves:
                    with contextlib.suppress(ConnectionError):
                        connection.sendall(head(1_000_000) + b" " * 900_000)
                time.sleep(0.5)
                grown = process.memory_info().rss - before
            statuses = Counter(answer(connection)[9:12] for connection in halves)
            for connection in halves:
                connection.close()
        print(f"{grown / 1e6:.0f} MB more")  # noqa: T201 - with -s
        assert grown < 200e6  # of 360 MB that were sent
        assert statuses["408"] > 50
        assert statuses["503"] > 50

    def test_texts_as_long_as_may_be(self, service: str) -> None:
        texts = ["發財" * 600] * 256
        with watched(service):
            answers = at_once(posting(f"{service}/predict", {"texts": texts}), 8)
        assert {answer.status_code for answer in answers} == {200}


class TestConnections:
    @pytest.fixture
    def few(self, small_run: Project) -> Iterator[Serving]:
        """A service that may have 256 files open, and waits for 2 seconds."""
        with Serving(small_run, "--max-seconds", "2", files=256) as serving:
            yield serving

    def test_many_that_say_nothing(self, few: Serving) -> None:
        assert "64 connections at most, since `ulimit -n` is 256" in "".join(few.log)
        silent = [connected(few.url) for _ in range(400)]
        with watched(few.url):
            half = [connected(few.url) for _ in range(200)]
            for connection in half:
                with contextlib.suppress(ConnectionError):
                    connection.sendall(b"GET /health HTTP/1.1\r\nx: ")
            time.sleep(1)
        process = psutil.Process(few.process.pid)
        assert process.num_fds() < 256
        time.sleep(1.5)
        assert process.num_fds() < 100  # they were closed in time
        for connection in silent + half:
            connection.close()

    def test_heads_and_bodies_that_come_slowly(self, few: Serving) -> None:
        body, slow = connected(few.url), connected(few.url)
        body.sendall(head(1_000))
        slow.sendall(b"GET /health HTTP/1.1\r\nx: ")
        started = time.monotonic()
        with watched(few.url):
            while time.monotonic() - started < 3:
                with contextlib.suppress(ConnectionError):
                    body.sendall(b" ")
                with contextlib.suppress(ConnectionError):
                    slow.sendall(b"y")
                time.sleep(0.2)
        told = answer(body)
        assert told.startswith("HTTP/1.1 408")
        assert "a body that was not whole within 2 seconds" in told
        assert "content-security-policy" in told
        assert answer(slow) == ""
        body.close()
        slow.close()

    @pytest.mark.parametrize("requests", [1, 20])
    def test_answers_that_nobody_takes(self, few: Serving, requests: int) -> None:
        ask = b"GET /static-offline-docs/swagger-ui-bundle.js HTTP/1.1\r\nhost: localhost\r\n\r\n"
        assert len(httpx.get(few.url + ask.decode().split()[1]).content) > 1_000_000
        process = psutil.Process(few.process.pid)
        before = process.memory_info().rss
        silent = []
        with watched(few.url):
            for _ in range(200):
                connection = socket.socket()
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                connection.connect(("127.0.0.1", httpx.URL(few.url).port))
                connection.sendall(ask * requests)
                silent.append(connection)
            time.sleep(1)
        assert process.num_fds() < 256
        assert process.memory_info().rss - before < 100e6
        time.sleep(2)
        assert process.num_fds() < 100
        for connection in silent:
            connection.close()

    def test_a_head_without_end(self, few: Serving) -> None:
        with connected(few.url) as connection:
            connection.sendall(b"GET /health HTTP/1.1\r\nx: ")
            sent = 0
            with contextlib.suppress(ConnectionError):
                while sent < 10_000_000:
                    connection.sendall(b"x" * 10_000)
                    sent += 10_000
                    time.sleep(0.01)
            assert sent < 1_000_000

    def test_a_connection_serves_many_requests(self, few: Serving) -> None:
        with httpx.Client(base_url=few.url) as client:
            for _ in range(8):
                assert client.get("/health").status_code == 200
                time.sleep(0.4)  # longer than a head may take, all together


class TestQueues:
    @pytest.fixture
    def full(self, small_run: Project) -> Iterator[Serving]:
        with Serving(small_run, "--max-waiting", "256") as serving:
            yield serving

    @pytest.mark.parametrize("length", [60, 300])  # the latter is read a few at a time
    def test_reviews(self, full: Serving, length: int) -> None:
        ask = posting(f"{full.url}/predict", {"texts": ["好" * length] * 256})
        with watched(full.url):
            answers = at_once(ask, 48)
        assert {answer.status_code for answer in answers} == {200, 503}
        refused = next(answer for answer in answers if answer.status_code == 503)
        assert refused.json() == {"detail": "too many requests at once"}
        assert refused.headers["retry-after"] == "1"
        assert httpx.get(f"{full.url}/ready").status_code == 200

    def test_explanations_keep_no_drawing_waiting(self, full: Serving) -> None:
        ask = posting(f"{full.url}/explain", {"text": "房间很干净，但是服务太差了" * 30})
        with concurrent.futures.ThreadPoolExecutor(32) as executor, watched(full.url):
            asked = [executor.submit(ask) for _ in range(32)]
            time.sleep(0.1)
            started = time.perf_counter()
            posting(f"{full.url}/digit", {"image": drawn(280, 280)})()
            assert time.perf_counter() - started < 1
            assert not all(each.done() for each in asked)
        statuses = {each.result().status_code for each in asked}
        assert statuses == {200, 503}


class TestDrawings:
    def test_large_ones(self, service: str) -> None:
        with watched(service):
            answers = at_once(posting(f"{service}/digit", {"image": drawn(4_096, 4_096)}), 8)
        assert {answer.status_code for answer in answers} == {422}
        assert answers[0].json()["detail"] == (
            "the drawing: 4096 × 4096 pixels; expected at most 1,048,576 in all"
        )

    @pytest.mark.parametrize("format_", ["EPS", "ICO", "TIFF", "PPM"])
    def test_formats_that_nobody_needs(self, service: str, format_: str) -> None:
        found = posting(f"{service}/digit", {"image": drawn(64, 64, format_)})()
        assert found.status_code == 422
        assert "no picture that can be read; expected PNG, JPEG" in found.json()["detail"]


class TestHosts:
    @pytest.mark.parametrize(
        "host", ["evil.example", "localhost@evil.example", "127.0.0.1.evil.example", "", "["]
    )
    def test_names_of_others(self, service: str, host: str) -> None:
        for path in ("/", "/health", "/predict", "/page/page.css"):
            found = httpx.get(f"{service}{path}", headers={"host": host})
            assert found.status_code == 421
            assert "nosniff" in found.headers["x-content-type-options"]
            assert "--allow-host" in found.json()["detail"]

    @pytest.mark.parametrize(
        "host", ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:8000", "192.168.1.5:80"]
    )
    def test_names_of_ours_and_addresses(self, service: str, host: str) -> None:
        assert httpx.get(f"{service}/health", headers={"host": host}).status_code == 200

    def test_a_name_that_is_allowed(self, small_run: Project) -> None:
        with Serving(small_run, "--allow-host", "Reviews.example") as serving:
            statuses = [
                httpx.get(f"{serving.url}/health", headers={"host": host}).status_code
                for host in ("reviews.example", "reviews.example:443", "evil.example")
            ]
        assert statuses == [200, 200, 421]


class TestEnd:
    def test_it_says_so_before_it_ends(self, small_run: Project) -> None:
        with Serving(small_run, "--drain", "2") as serving:
            assert httpx.get(f"{serving.url}/ready").json() == {"status": "ready"}
            serving.process.terminate()
            time.sleep(1)
            ready = httpx.get(f"{serving.url}/ready")
            assert ready.status_code == 503
            assert ready.json() == {"detail": "the service is about to end"}
            assert httpx.get(f"{serving.url}/health").status_code == 200
            posting(f"{serving.url}/predict", {"texts": [TEXT]})().raise_for_status()
            assert serving.process.wait(timeout=10) == 0


class TestLogs:
    def test_a_line_for_each_request_and_no_text(self, small_run: Project) -> None:
        with Serving(small_run, "--log-json") as serving:
            posting(f"{serving.url}/predict", {"texts": [TEXT]})()
            httpx.get(f"{serving.url}/{TEXT}")
        lines = [json.loads(line) for line in serving.log]
        assert all({"time", "level", "message"} <= set(line) for line in lines)
        asked = [line for line in lines if line["message"] == "request"]
        assert [(line["method"], line["path"], line["status"]) for line in asked] == [
            ("POST", "/predict", 200),
            ("GET", "other", 404),
        ]
        assert asked[0]["milliseconds"] > 0
        assert not re.search("房间|\\\\u623f", "".join(serving.log))


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--max-body", "0"), "--max-body 0; expected more than 0"),
        (("--max-seconds", "nan"), "--max-seconds nan; expected more than 0"),
        (("--drain", "-1"), "--drain -1.0; expected 0 or more"),
    ],
)
def test_limits_that_are_none(
    small_run: Project, arguments: tuple[str, ...], expected: str
) -> None:
    result = called(partial(command.main, ["serve", *arguments]), small_run.root)
    assert (result.returncode, result.stderr) == (1, f"error: {expected}\n")
