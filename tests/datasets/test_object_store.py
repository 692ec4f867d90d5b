"""Reviews in a real object store's protocol, served on loopback."""

import logging
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from conftest import FIXTURES, PREPARED_REVIEWS, SEGMENTED_REVIEWS, Project, make_small
from moto.server import ThreadedMotoServer

from keras_repro.core import params, paths
from keras_repro.core.errors import ReproError

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


def keep_tables_at(project: Project, address: str) -> None:
    """Make the two edits that docs/scaling.md names."""
    project.set("storage.interim", address)
    dvc_yaml = project.root / "dvc.yaml"
    text = dvc_yaml.read_text("utf-8")
    assert text.count("cache: true") == len((PREPARED_REVIEWS, SEGMENTED_REVIEWS))
    dvc_yaml.write_text(text.replace("cache: true", "cache: false"), "utf-8")


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
    dvc_yaml = project.root / "dvc.yaml"
    dvc_yaml.write_text(
        dvc_yaml.read_text("utf-8").replace("reads: data/own}", 'reads: "${reviews.path}"}'),
        "utf-8",
    )
    assert ran(project, store) == ["download@reviews", "prepare", "segment", "tokenize"]
    assert ran(project, store) == []
    put(Bucket=BUCKET, Key="mine.tsv", Body=table() + "\n新来的一条评论,非常好\t5".encode())
    assert ran(project, store) == ["download@reviews", "prepare", "segment", "tokenize"]


def test_missing_object(project: Project, store: dict[str, str]) -> None:
    project.set("reviews.source", "file")
    project.set("reviews.path", f"s3://{BUCKET}/none.csv")
    result = project.stage("download", "reviews", **store)
    assert (result.returncode, "Traceback" in result.stderr) == (1, False)
    assert f"error: s3://{BUCKET}/none.csv: not found; expected a file" in result.stderr


@pytest.mark.slow
def test_tables_in_a_store_are_those_on_the_disk(
    project: Project, small_run: Project, store: dict[str, str], tmp_path: Path
) -> None:
    project.git("init", "--quiet", ".")
    keep_tables_at(project, f"s3://{BUCKET}/interim")
    name = "sentiment_bilstm"
    make_small(project, epochs=2)
    result = project.run("dvc", "repro", f"evaluate@{name}", DATA_MIRROR=str(FIXTURES), **store)
    assert result.returncode == 0, result.stderr
    assert not (project.root / PREPARED_REVIEWS).exists()
    for table in (PREPARED_REVIEWS, SEGMENTED_REVIEWS):
        stored = tmp_path / table.name
        client(store).download_file(BUCKET, f"interim/{table.name}", str(stored))
        assert stored.read_bytes() == (small_run.root / table).read_bytes()
    for path in (paths.ENCODED_REVIEWS, paths.model(name), paths.metrics(name)):
        assert (project.root / path).read_bytes() == (small_run.root / path).read_bytes()
    assert ran(project, store) == []
    # What somebody else changed there is made again, and only that.
    client(store).put_object(Bucket=BUCKET, Key="interim/segmented.parquet", Body=b"other bytes")
    assert ran(project, store) == ["segment"]
    refused = project.command("verify", **store)
    assert (refused.returncode, "Traceback" in refused.stderr) == (1, False)
    assert "since verifying would write over what lies there" in refused.stderr


def test_table_that_cannot_be_stored_or_read(
    small_run: Project, store: dict[str, str], tmp_path: Path
) -> None:
    project = small_run.copy(tmp_path / "project")
    keep_tables_at(project, "s3://no-such-bucket/interim")
    for stage, name, fault in (
        ("prepare", "reviews", "cannot be written"),
        ("segment", "reviews", "not found; expected a Parquet file (`dvc repro` makes it)"),
    ):
        result = project.stage(stage, **store)
        assert (result.returncode, "Traceback" in result.stderr) == (1, False)
        assert f"error: s3://no-such-bucket/interim/{name}.parquet: {fault}" in result.stderr
    assert not list((project.root / paths.SCRATCH).iterdir())


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("/tmp/interim", "expected a path relative to the root of the repository"),  # noqa: S108
        ("s3:/bucket/interim", "found 's3:/bucket/interim'"),
        ("s3://bucket/", "found 's3://bucket/'"),
        ("data//interim", "found 'data//interim'"),
        ("", "found ''"),
    ],
)
def test_fault_in_the_parameters(project: Project, place: str, message: str) -> None:
    project.set("storage.interim", place)
    with pytest.raises(ReproError) as caught:
        params.load(project.root / "params.yaml")
    assert str(caught.value).startswith(f"{project.root}/params.yaml: storage")
    assert message in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
