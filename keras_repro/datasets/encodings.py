"""Lines of text from bytes whose encoding may have to be found."""

import codecs
import io
import re
from collections.abc import Iterator
from functools import partial
from typing import IO

# How much of a file is read to find its encoding.
SAMPLE_BYTES = 1 << 26
# Characters after which a line is taken to end, so that a file without line ends fits in memory.
LINE_LIMIT = 1 << 20

# What stands for a byte that cannot be decoded: one of 256 surrogates, which no decoder gives.
_FIRST_MARK = 0xDC00
# Characters that no review may hold; those of the first kind come from marks or JSON's escapes.
FORBIDDEN = re.compile("[\ud800-\udfff\0]")
_MARKED = re.compile("[\udc00-\udcff]")

_BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
# UTF-16 has a zero byte in each digit, comma and line end. Read as bytes, most of its lines have;
# the side alone does not tell, for some of the commonest characters have one on the other.
_UNMARKED = ("utf-16-le", "utf-16-be")
_LEAST_SPLIT = 0.5


def lines(stream: IO[bytes], encoding: str) -> Iterator[str]:
    r"""Yield the lines of a file with their ends: a line feed, a carriage return, or both.

    Each byte that cannot be decoded becomes one character that `FORBIDDEN` matches. A byte-order
    mark at the start is dropped, whatever the encoding is called.

    >>> list(lines(io.BytesIO(b"1,a\r2,b\xff\n"), "utf-8"))
    ['1,a\r', '2,b\udcff\n']
    """
    codecs.register_error("keras_repro.mark", _mark)
    text = io.TextIOWrapper(stream, encoding, errors="keras_repro.mark", newline="")
    found = iter(partial(text.readline, LINE_LIMIT), "")
    whole = True
    for number, piece in enumerate(found):
        # What is behind the limit is no line of its own.
        if whole:
            yield piece if number else piece.removeprefix("\ufeff")
        whole = len(piece) < LINE_LIMIT or piece.endswith(("\n", "\r"))
    text.detach()


def _mark(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    bad = error.object[error.start : error.end]
    return "".join(chr(_FIRST_MARK + byte) for byte in bad), error.end


def readable(text: str) -> str:
    r"""Return `text` with each forbidden character as an escape.

    >>> readable("a\udcffb\0")
    'a\\xffb\\x00'
    """

    def escape(match: re.Match[str]) -> str:
        code = ord(match[0])
        is_byte = code == 0 or _MARKED.match(match[0])
        return f"\\x{code & 0xFF:02x}" if is_byte else f"\\u{code:04x}"

    return FORBIDDEN.sub(escape, text)


def of_stream(stream: IO[bytes]) -> str:
    """Return the encoding of a file, of which this reads the start."""
    return detect(stream.read(SAMPLE_BYTES))


def detect(sample: bytes) -> str:
    """Return the encoding under which the fewest lines hold bytes that cannot be decoded.

    A byte-order mark decides; then zero bytes that tell of UTF-16; then UTF-8 is tried before
    GB 18030, which contains GBK and GB 2312. Hardly any Chinese text is valid as both.

    Args:
        sample: the start of a file.

    >>> [detect("好,5".encode(name)) for name in ("utf-8", "utf-8-sig", "gbk", "utf-16-le")]
    ['utf-8', 'utf-8-sig', 'gb18030', 'utf-16-le']

    """
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if sample.startswith(mark):
            return encoding
    split = [b"\0" in line for line in io.BytesIO(sample)]
    if sum(split) > _LEAST_SPLIT * len(split):
        feeds = [_feeds(sample, encoding) for encoding in _UNMARKED]
        if feeds[0] == feeds[1]:
            feeds = [sample[side::2].count(0) for side in (1, 0)]
        return _UNMARKED[feeds[1] > feeds[0]]
    return min(("utf-8", "gb18030"), key=partial(_bad_lines, sample))


def _feeds(sample: bytes, encoding: str) -> int:
    """Count the line feeds, where no other characters share a line feed's bytes."""
    feed = re.escape("\n".encode(encoding))
    return sum(match.start() % 2 == 0 for match in re.finditer(feed, sample))


def _bad_lines(sample: bytes, encoding: str) -> int:
    # The sample may end within a character.
    whole = sample[: sample.rfind(b"\n") + 1] or sample
    return sum(1 for line in lines(io.BytesIO(whole), encoding) if _MARKED.search(line))
