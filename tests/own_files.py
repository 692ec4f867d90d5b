"""Files of reviews in every format, and what is read from them."""

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
from conftest import ROOT, Project

from keras_repro.core import params, paths
from keras_repro.core.params import Reviews
from keras_repro.datasets import own

SETTINGS = params.load(ROOT / "params.yaml")
HEAD = "star,comment\n"
SHEET = "xl/worksheets/sheet1.xml"

# A rating, a text, a line and a fault, as `own.parse` tells them.
Row = tuple[int | None, str, int, str | None]
# By line: the rating and the text of an accepted row, the fault of a rejected one.
Expected = dict[int, tuple[int, str] | str]


def parse(name: str, content: bytes | str, **settings: Any) -> list[Row]:
    """Write a file and return its rows; its columns are `star` and `comment` unless told."""
    Path(name).write_bytes(content.encode() if isinstance(content, str) else content)
    given = {"source": "file", "path": name, "text": "comment", "rating": "star"} | settings
    if "label" in settings:
        given["rating"] = None
    batches = own.parse(given["source"], Reviews.model_validate(given))
    return [
        (row["rating"], row["text"], row["line"], row["fault"])
        for batch in batches
        for row in batch.to_pylist()
    ]


def told(rows: Iterable[Row]) -> Expected:
    return {line: fault or (rating, text) for rating, text, line, fault in rows}


def accepted(rows: Iterable[Row]) -> list[tuple[int | None, str]]:
    rows = list(rows)
    assert [row for row in rows if row[3]] == []
    return [(rating, text) for rating, text, *_ in rows]


def delimited(table: Iterable[Sequence[Any]], delimiter: str = ",") -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=delimiter).writerows(table)
    return buffer.getvalue().encode()


def jsonl(table: Sequence[Sequence[Any]]) -> bytes:
    head, *rows = table
    return "".join(f"{json.dumps(dict(zip(head, row, strict=True)))}\n" for row in rows).encode()


def parquet(columns: pa.Table | dict[str, Any]) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(columns if isinstance(columns, pa.Table) else pa.table(columns), buffer)
    return buffer.getvalue()


def xlsx(table: Iterable[Sequence[Any]]) -> bytes:
    book = openpyxl.Workbook()
    for row in table:
        book.active.append(list(row))
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def sheet(table: Iterable[Sequence[Any]], change: Callable[[bytes], bytes]) -> bytes:
    """Return a spreadsheet of another program: the XML of its sheet is changed."""
    with zipfile.ZipFile(io.BytesIO(xlsx(table))) as book:
        parts = {name: book.read(name) for name in book.namelist()}
    return zipped(parts | {SHEET: change(parts[SHEET])})


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def marked(archive: bytes, offset: int, value: int) -> bytes:
    """Return a ZIP archive of one member with another flag (offset 6) or method (offset 8)."""
    changed = bytearray(archive)
    changed[offset] = changed[archive.index(b"PK\1\2") + offset + 2] = value
    return bytes(changed)


PACKED = {
    "": lambda name, content: content,
    ".gz": lambda name, content: gzip.compress(content),
    ".zip": lambda name, content: zipped({"__MACOSX/._x": b"x", "a/": b"", name: content}),
}


def staged(project: Project, content: bytes, name: str = "mine.csv", **settings: Any) -> Any:
    """Read a file in a project as one of its own, and prepare it, in processes."""
    (project.root / name).write_bytes(content)
    given = {"source": "file", "path": name, "text": "comment", "rating": "star"} | settings
    for key, value in given.items():
        project.set(f"reviews.{key}", value)
    result = project.stage("download", "reviews")
    return result if result.returncode else project.stage("prepare")


def rejected(project: Project) -> list[tuple[str, int, str, str]]:
    with (project.root / paths.REJECTED_REVIEWS).open(encoding="utf-8", newline="") as file:
        return [
            (row["source"], int(row["line"]), row["reason"], row["row"])
            for row in csv.DictReader(file)
        ]


def good(count: int) -> str:
    return "".join(f"{1 + 4 * (n % 2)},评论 {n}\n" for n in range(count))
