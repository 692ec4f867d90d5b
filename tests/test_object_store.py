"""Reviews in a real object store's protocol, served on loopback."""

import logging
from collections.abc import Iterator

import boto3
import pytest
from conftest import FIXTURES, Project
from moto.server import ThreadedMotoServer

BUCKET = "reviews"


@pytest.fixture
def store() -> Iterator[dict[str, str]]:
    """Serve a store with an empty bucket; the value is the environment that leads there."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environment = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "someone",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    client(environment).create_bucket(Bucket=BUCKET)
    yield environment
    server.stop()


def client(environment: dict[str, str]):  # noqa: ANN201 - boto3 makes its classes as it runs
    return boto3.client(
        "s3",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        aws_access_key_id="someone",
        aws_secret_access_key="secret",  # noqa: S106 - of the server above
        region_name="us-east-1",
    )


def table() -> bytes:
    """Return the fixture's reviews as a CSV file."""
    lines = ["comment\tstar"]
    for name, rating in (("neg", 1), ("pos", 5)):
        texts = (FIXTURES / f"{name}.txt").read_text("utf-8").splitlines()
        lines += [f"{text.replace(chr(34), '')}\t{rating}" for text in texts]
    return "\n".join(lines).encode()


def ran(project: Project, environment: dict[str, str]) -> list[str]:
    result = project.run("dvc", "repro", "tokenize", **environment)
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    return [line.split("'")[1] for line in lines if line.startswith("Running stage")]


@pytest.mark.slow
def test_dvc_follows_an_address(project: Project, store: dict[str, str]) -> None:
    put = client(store).put_object
    put(Bucket=BUCKET, Key="mine.tsv", Body=table())
    project.git("init", "--quiet", ".")
    project.set("reviews.source", "file")
    project.set("reviews.path", f"s3://{BUCKET}/mine.tsv")
    assert ran(project, store) == ["download@reviews", "prepare", "segment", "tokenize"]
    assert ran(project, store) == []
    put(Bucket=BUCKET, Key="mine.tsv", Body=table() + "\n新来的一条评论,非常好\t5".encode())
    assert ran(project, store) == ["download@reviews", "prepare", "segment", "tokenize"]


def test_missing_object(project: Project, store: dict[str, str]) -> None:
    project.set("reviews.source", "file")
    project.set("reviews.path", f"s3://{BUCKET}/none.csv")
    result = project.run("stages.download", "reviews", **store)
    assert (result.returncode, "Traceback" in result.stderr) == (1, False)
    assert f"error: s3://{BUCKET}/none.csv: not found; expected a file" in result.stderr
