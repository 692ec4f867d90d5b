import os
import struct
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from keras_repro.core import files, parquet
from keras_repro.core.errors import ReproError

SCHEMA = pa.schema([("id", pa.string()), ("label", pa.int8())])
BATCHES = [
    pa.RecordBatch.from_pydict(rows, schema=SCHEMA)
    for rows in ({"id": ["a", "b"], "label": [0, 1]}, {"id": ["c"], "label": [1]})
]


def write_all(directory: Path) -> dict[str, bytes]:
    files.write_json(directory / "x.json", {"b": 0.1234567, "a": np.float32(2), "n": np.int64(3)})
    files.write_csv(directory / "x.csv", ("word", "loss"), [("好,书", 0.1234567), ("b", 1)])
    for name in ("x.npz", "mapped.npz"):
        files.write_npz(directory / name, {"y": np.arange(3), "x": np.zeros((2, 2))})
    parquet.write(directory / "x.parquet", SCHEMA, BATCHES)
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_same_content_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = write_all(tmp_path / "one")
    monkeypatch.setattr("time.time", lambda: 2e9)
    monkeypatch.setattr("time.localtime", lambda *_: (2033, 5, 18, 3, 33, 20, 2, 138, 0))
    assert write_all(tmp_path / "other") == first
    assert first["x.json"] == b'{\n  "a": 2.0,\n  "b": 0.123457,\n  "n": 3\n}\n'
    assert first["x.csv"].decode() == 'word,loss\n"好,书",0.123457\nb,1\n'


def test_order_of_arrays_does_not_change_bytes(tmp_path: Path) -> None:
    files.write_npz(tmp_path / "a.npz", {"x": np.arange(3), "y": np.zeros(2)})
    files.write_npz(tmp_path / "b.npz", {"y": np.zeros(2), "x": np.arange(3)})
    assert files.sha256(tmp_path / "a.npz") == files.sha256(tmp_path / "b.npz")


def test_an_older_zipfile_writes_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files.write_npz(tmp_path / "new.npz", {"x": np.arange(3)})
    header = zipfile.ZipInfo.FileHeader

    def older(member: zipfile.ZipInfo, zip64: bool | None = None) -> bytes:  # noqa: FBT001
        """Return what Python 3.11.2 does: the sizes stand in the 32-bit fields as well."""
        sizes = struct.pack("<LL", member.compress_size, member.file_size)
        return header(member, zip64)[:18] + sizes + header(member, zip64)[26:]

    monkeypatch.setattr(zipfile.ZipInfo, "FileHeader", older)
    monkeypatch.setattr(zipfile, "ZIP64_VERSION", zipfile.DEFAULT_VERSION)
    files.write_npz(tmp_path / "old.npz", {"x": np.arange(3)})
    np.savez(tmp_path / "bare.npz", x=np.arange(3))
    assert (tmp_path / "old.npz").read_bytes() == (tmp_path / "new.npz").read_bytes()
    # The patch bites: NumPy's own archive states 152 bytes, 24 of them the array.
    assert (tmp_path / "bare.npz").read_bytes()[18:26] == struct.pack("<LL", 152, 152)


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    write_all(tmp_path)
    assert files.read_npz(tmp_path / "x.npz", ["y"])["y"].tolist() == [0, 1, 2]
    rows = list(parquet.read(tmp_path / "x.parquet", SCHEMA))
    assert [row for batch in rows for row in batch["id"].to_pylist()] == ["a", "b", "c"]
    (labels,) = parquet.read(tmp_path / "x.parquet", SCHEMA, ["label"])
    assert labels.to_pydict() == {"label": [0, 1, 1]}
    assert parquet.count_rows(tmp_path / "x.parquet") == 3
    assert files.read_json(tmp_path / "x.json")["n"] == 3


@pytest.mark.parametrize("rows", [0, 5, 1000])
def test_bytes_of_a_table_depend_on_its_rows_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    monkeypatch.setattr(parquet, "ROWS_PER_GROUP", 300)
    table = pa.table({"id": [str(n) for n in range(rows)], "label": [0] * rows}, schema=SCHEMA)
    written = set()
    for size in (1, 7, 299, 300, 301, 5000):
        path = tmp_path / f"{size}.parquet"
        assert parquet.write(path, SCHEMA, table.to_batches(size)) == rows
        written.add(files.sha256(path))
        assert [batch.num_rows for batch in parquet.read(path, SCHEMA, None, 100)] == (
            [100] * (rows // 100) + [rows % 100] * (rows % 100 > 0)
        )
    assert len(written) == 1


def test_failed_write_leaves_the_earlier_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "x.parquet"
    parquet.write(path, SCHEMA, BATCHES)
    before = path.read_bytes()

    def broken() -> list:
        yield BATCHES[0]
        raise ReproError("half-way")

    with pytest.raises(ReproError, match="half-way"):
        parquet.write(path, SCHEMA, broken())
    assert path.read_bytes() == before
    assert [entry.name for entry in tmp_path.iterdir()] == ["x.parquet"]


READERS = {
    "x.json": files.read_json,
    "x.npz": lambda path: files.read_npz(path, ["x", "y"]),
    "mapped.npz": lambda path: files.map_npz(path, ["x", "y"]),
    "x.parquet": lambda path: list(parquet.read(path, SCHEMA)),
}


class TestWhatIsNoPlainFile:
    def test_link_stays_and_its_target_is_replaced(self, tmp_path: Path) -> None:
        target = tmp_path / "elsewhere/data.txt"
        target.parent.mkdir()
        target.write_bytes(b"before")
        link = tmp_path / "link.txt"
        link.symlink_to(target)
        files.write_bytes(link, b"after")
        assert link.is_symlink()
        assert target.read_bytes() == b"after"
        assert [path.name for path in target.parent.iterdir()] == ["data.txt"]

    def test_link_to_nothing_gets_its_target(self, tmp_path: Path) -> None:
        link = tmp_path / "link.txt"
        link.symlink_to(tmp_path / "new/data.txt")
        files.write_bytes(link, b"after")
        assert link.is_symlink()
        assert (tmp_path / "new/data.txt").read_bytes() == b"after"

    def test_pipe_is_written_to(self, tmp_path: Path) -> None:
        pipe = tmp_path / "pipe"
        os.mkfifo(pipe)
        reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)  # it waits for nobody who writes
        files.write_bytes(pipe, b"content")
        with os.fdopen(reading, "rb") as reader:
            assert reader.read() == b"content"
        assert pipe.is_fifo()
        assert [path.name for path in tmp_path.iterdir()] == ["pipe"]

    def test_device_is_written_to(self) -> None:
        files.write_bytes(Path("/dev/null"), b"content")
        assert Path("/dev/null").is_char_device()


def test_files_of_users_are_not_taken_for_what_a_killed_process_left(tmp_path: Path) -> None:
    dead = 2**22 + 1  # above the greatest number of a process
    theirs = [tmp_path / f".x.csv.{dead}.tmp", tmp_path / ".x.csv.tmp", tmp_path / "x.csv.tmp"]
    ours = tmp_path / f".x.csv.{dead}.{files.TEMPORARY}"
    for path in (*theirs, ours):
        path.touch()
    files.write_bytes(tmp_path / "x.csv", b"")
    assert set(tmp_path.iterdir()) == {*theirs, tmp_path / "x.csv"}


def test_a_rename_is_made_to_last(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = []
    monkeypatch.setattr(files, "sync_directory", synced.append)
    files.write_bytes(tmp_path / "x.csv", b"")
    assert synced == [tmp_path]


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("kept", [0, 0.5, 0.9])
def test_truncated_file(tmp_path: Path, name: str, kept: float) -> None:
    content = write_all(tmp_path)[name]
    (tmp_path / name).write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(ReproError, match=f"{name}: .* bytes that are no whole"):
        READERS[name](tmp_path / name)


@pytest.mark.parametrize("name", READERS)
def test_missing_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(ReproError, match=f"{name}: not found"):
        READERS[name](tmp_path / name)


def test_pickle_is_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "x.npz", x=np.array([{"a": 1}], dtype=object))
    with pytest.raises(ReproError, match=r"x\.npz.*allow_pickle"):
        files.read_npz(tmp_path / "x.npz", ["x"])
    with pytest.raises(ReproError, match=r"x\.npz.*pickled"):
        files.map_npz(tmp_path / "x.npz", ["x"])


class TestMapped:
    def test_arrays_are_those_of_the_file_and_cannot_be_changed(self, tmp_path: Path) -> None:
        arrays = {"x": np.arange(6.0).reshape(2, 3), "y": np.array(["好", "b"]), "z": np.zeros(0)}
        files.write_npz(tmp_path / "x.npz", arrays)
        found = files.map_npz(tmp_path / "x.npz", arrays)
        for name, expected in arrays.items():
            assert found[name].dtype == expected.dtype
            np.testing.assert_array_equal(found[name], expected)
        assert isinstance(found["x"].base, np.memmap)
        with pytest.raises(ValueError, match="read-only"):
            found["x"][0] = 1

    def test_a_changed_byte_is_found(self, tmp_path: Path) -> None:
        files.write_npz(tmp_path / "x.npz", {"x": np.arange(1000)})
        content = bytearray((tmp_path / "x.npz").read_bytes())
        content[4000] ^= 1
        (tmp_path / "x.npz").write_bytes(content)
        with pytest.raises(ReproError, match=r"x\.npz: .* no whole NPZ file \(Bad CRC-32"):
            files.map_npz(tmp_path / "x.npz", ["x"])

    def test_what_is_compressed_is_refused(self, tmp_path: Path) -> None:
        np.savez_compressed(tmp_path / "x.npz", x=np.arange(10))
        with pytest.raises(ReproError, match="no whole NPZ file"):
            files.map_npz(tmp_path / "x.npz", ["x"])


def test_missing_array_and_other_columns(tmp_path: Path) -> None:
    write_all(tmp_path)
    with pytest.raises(ReproError, match="has the arrays x, y; expected z too"):
        files.read_npz(tmp_path / "x.npz", ["x", "z"])
    with pytest.raises(
        ReproError, match=r"has the columns id \(string\), label \(int8\); expected"
    ):
        list(parquet.read(tmp_path / "x.parquet", pa.schema([("id", pa.string())])))
