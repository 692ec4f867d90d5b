"""Which encoding a text is in."""

import io
import logging
from collections import Counter

import pytest
from encoding_samples import samples

from keras_repro.core.errors import ReproError
from keras_repro.datasets import encodings

SAMPLES = list(samples())


def test_all_of_200_samples() -> None:
    found = Counter((sample.encoding, encodings.detect(sample.content)) for sample in SAMPLES)
    assert found == {
        ("gb18030", "gb18030"): 60, ("big5", "big5"): 60, ("cp932", "cp932"): 26,
        ("cp949", "cp949"): 26, ("cp1252", "cp1252"): 28,
    }  # fmt: skip


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_the_same_texts_in_unicode(encoding: str) -> None:
    for sample in SAMPLES:
        text = sample.content.decode(sample.encoding)
        assert encodings.detect(text.encode(encoding)) == encoding


@pytest.mark.parametrize("other", ["gb18030", "big5", "cp932", "cp949", "cp1252"])
def test_lines_of_two_encodings(other: str) -> None:
    for sample in [sample for sample in SAMPLES if sample.encoding == other][3::9]:
        text = sample.content.decode(other)
        both = ("很好，推荐\n" * 3).encode() + sample.content
        assert encodings.detect(both) == f"utf-8+{other}"
        lines = encodings.lines(io.BytesIO(both), f"utf-8+{other}")
        assert "".join(lines) == "很好，推荐\n" * 3 + text


def test_a_damaged_utf_8_stays_utf_8() -> None:
    lines = ["房间很干净，服务也很好\n".encode()] * 50
    lines[7] = lines[7][:10] + b"\n"
    lines[20] = lines[20].replace("很".encode(), b"\xff\xfe")
    assert encodings.detect(b"".join(lines)) == "utf-8"


def test_doubt_stops() -> None:
    content = "이다는을가에".encode("cp949") + "的是不了一有".encode("gb18030")
    with pytest.raises(
        ReproError, match=r"^a\.csv: may be .* or .*; expected its encoding by name"
    ):
        encodings.detect(content, "a.csv")


def test_what_tells_nothing_is_said(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert encodings.detect("囧囧囧".encode("gbk"), "a.csv") == "gb18030"
    assert "a.csv: too few common characters to tell the encoding" in caplog.text
