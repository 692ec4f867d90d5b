"""The examples in docs/deployment: nginx as it runs, a container as far as it goes without one."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from conftest import ROOT, Project, Serving

from keras_repro.serving import command, settings

EXAMPLES = ROOT / "docs/deployment"
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
MAIN = """
daemon off; master_process off; pid {directory}/pid; error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {directory}/body; proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/f; uwsgi_temp_path {directory}/u; scgi_temp_path {directory}/s;
    include {directory}/reviews.conf;
}}
"""


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def proxied(small_run: Project, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of nginx as docs/deployment has it, but for places and ports."""
    if not NGINX:
        pytest.skip("nginx is not installed")
    directory = tmp_path_factory.mktemp("nginx")
    names = ["-keyout", "reviews.key", "-out", "reviews.crt", "-subj", "/CN=reviews.example"]
    request = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *names]
    subprocess.run(request, cwd=directory, check=True, capture_output=True)
    hashed = subprocess.run(
        ["openssl", "passwd", "-apr1", "secret"], check=True, capture_output=True, text=True
    ).stdout
    (directory / "reviews.htpasswd").write_text(f"someone:{hashed}", "utf-8")
    port = free_port()
    with Serving(small_run, "--allow-host", "reviews.example") as serving:
        example = (EXAMPLES / "nginx.conf").read_text("utf-8")
        for old, new in {
            "127.0.0.1:8000": serving.url.removeprefix("http://"),
            "listen 443": f"listen 127.0.0.1:{port}",
            "/etc/nginx": str(directory),
        }.items():
            assert old in example
            example = example.replace(old, new)
        (directory / "reviews.conf").write_text(example, "utf-8")
        (directory / "nginx.conf").write_text(MAIN.format(directory=directory), "utf-8")
        with subprocess.Popen([NGINX, "-c", directory / "nginx.conf", "-p", directory]) as nginx:
            url = f"https://127.0.0.1:{port}"
            until = time.monotonic() + 10
            while time.monotonic() < until and not answers(url):
                time.sleep(0.05)
            yield url
            nginx.terminate()


def answers(url: str) -> bool:
    try:
        return bool(httpx.get(url, verify=False))  # noqa: S501 - a certificate of this test
    except httpx.TransportError:
        return False


def client(url: str, password: str = "secret") -> httpx.Client:  # noqa: S107
    return httpx.Client(
        base_url=url,
        verify=False,  # noqa: S501
        auth=("someone", password),
        headers={"host": "reviews.example"},
        timeout=30,
    )


class TestNginx:
    def test_it_answers_whoever_knows_the_password(self, proxied: str) -> None:
        with client(proxied) as http:
            answer = http.post("/predict", json={"texts": ["房间很干净"]}).raise_for_status()
            assert len(answer.json()["predictions"]) == 1
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert http.get("/").status_code == 200
            for path in ("/metrics", "/ready"):
                assert http.get(path).status_code == 403
        with client(proxied, "another") as http:
            assert http.get("/health").status_code == 401

    def test_an_idle_connection_is_not_used_when_the_service_has_closed_it(
        self, proxied: str
    ) -> None:
        with client(proxied) as http:
            for pause in (5, 0):
                http.post("/predict", json={"texts": ["好"]}).raise_for_status()
                time.sleep(pause)

    def test_limits(self, proxied: str) -> None:
        with client(proxied) as http:
            assert http.post("/predict", content=b" " * 1_000_001).status_code == 413
            assert http.post("/predict", content=b" " * 2_000_000).status_code == 413
            statuses = [http.get("/health").status_code for _ in range(100)]
        assert set(statuses) == {200, 429}


class TestContainer:
    def test_the_service_needs_nothing_that_only_training_needs(self) -> None:
        extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
        needed = extras["project"]["optional-dependencies"]["train"]
        names = {re.split(r"[^\w-]", each)[0].replace("-", "_") for each in needed} | {"sklearn"}
        code = (
            f"import sys; sys.modules |= dict.fromkeys({names}); "
            "import keras_repro.serving.server; "
            "from keras_repro.serving import metrics; print(len(metrics.rows({})) > 5)"
        )
        result = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert (result.stdout, result.stderr) == ("True\n", "")

    def test_what_it_copies_is_there(self) -> None:
        text = (EXAMPLES / "Dockerfile").read_text("utf-8")
        allowed = (EXAMPLES / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
        copied = [
            source
            for line in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE)
            for source in line.split()
        ]
        assert copied
        for source in copied:
            assert (ROOT / source).exists() or re.fullmatch(r"models/\w+/bundle", source)
            assert f"!{re.sub(r'models/[^/]+', 'models/*', source)}" in allowed

    def test_its_command_is_one(self) -> None:
        text = (EXAMPLES / "Dockerfile").read_text("utf-8")
        (last,) = re.findall(r"^CMD (.+)$", text, re.MULTILINE)
        program, *arguments = json.loads(last)
        assert program == "keras-repro"
        parsed = command.parser().parse_args(arguments)
        assert settings.given(parsed).host == "0.0.0.0"  # noqa: S104 - within the container

    def test_a_user_who_can_write_nothing(self, small_run: Project, tmp_path: Path) -> None:
        """As the container runs it: the dictionary is made before, the user has no home."""
        bundle = small_run.root / "models/sentiment_hybrid/bundle"
        arguments = ("predict", "--bundle", str(bundle), "很好")
        cache = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "TMPDIR": str(tmp_path / "tmp")}
        (tmp_path / "tmp").mkdir()
        assert small_run.run("keras_repro", *arguments, **cache).returncode == 0
        (tmp_path / "cache/keras-repro/jieba").chmod(0o555)
        result = small_run.run("keras_repro", *arguments, **cache)
        assert (result.returncode, result.stderr) == (0, "")
        assert list((tmp_path / "tmp").iterdir()) == []
