"""Lines of text from bytes whose encoding may have to be found."""

import codecs
import io
import logging
import re
from collections.abc import Iterator
from functools import partial
from typing import IO

from keras_repro.core import paths
from keras_repro.core.errors import ReproError
from keras_repro.datasets import plausibility

log = logging.getLogger(__name__)

# How much of a file is read to find its encoding.
SAMPLE_BYTES = 1 << 26
# How much of it is compared with the characters of other encodings.
GUESSED_BYTES = 1 << 18
# How many lines of it are tried one by one, if there are some among them that are no UTF-8.
COMPARED_LINES = 50_000
# Between the names of two encodings of one file.
MIXED = "+"
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
# Lines in another encoding that are no UTF-8, at least; the shortest may be both.
_MOST_BY_CHANCE = 0.9
_LEAST_OF_MIXED = 0.5


def lines(stream: IO[bytes], encoding: str) -> Iterator[str]:
    r"""Yield the lines of a file with their ends: a line feed, a carriage return, or both.

    Each byte that cannot be decoded becomes one character that `FORBIDDEN` matches. A byte-order
    mark at the start is dropped, whatever the encoding is called.

    >>> list(lines(io.BytesIO(b"1,a\r2,b\xff\n"), "utf-8"))
    ['1,a\r', '2,b\udcff\n']
    """
    codecs.register_error("keras_repro.mark", _mark)
    if MIXED in encoding:
        yield from _of_either(stream, encoding.split(MIXED)[1])
        return
    text = io.TextIOWrapper(stream, encoding, errors="keras_repro.mark", newline="")
    found = iter(partial(text.readline, LINE_LIMIT), "")
    whole = True
    try:
        for number, piece in enumerate(found):
            # What is behind the limit is no line of its own.
            if whole:
                yield piece if number else piece.removeprefix("\ufeff")
            whole = len(piece) < LINE_LIMIT or piece.endswith(("\n", "\r"))
    finally:  # who has seen enough leaves the stream open, or has closed it
        if not stream.closed:
            text.detach()


def _of_either(stream: IO[bytes], other: str) -> Iterator[str]:
    """Yield lines of which some are UTF-8 and some in another encoding; neither has stray feeds."""
    # Latin 1 has a character for each byte, so this reads bytes by lines.
    text = io.TextIOWrapper(stream, "latin-1", newline="\n")
    for line in iter(partial(text.readline, LINE_LIMIT), ""):
        content = line.encode("latin-1")
        encoding = "utf-8" if _is_utf8(content) else other
        yield from io.StringIO(content.decode(encoding, "keras_repro.mark"), newline="")
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


def of_stream(stream: IO[bytes], name: str) -> str:
    """Return the encoding of a file, of which this reads the start, and say it.

    Args:
        stream: the file.
        name: of the file, for messages.

    Raises:
        ReproError: it may be one or another.

    """
    found = detect(stream.read(SAMPLE_BYTES), name)
    log.info("%s: read as %s", name, found.replace(MIXED, " and, line by line, "))
    return found


def detect(sample: bytes, name: str = "the text") -> str:
    """Return the encoding of a text.

    A byte-order mark decides; then zero bytes that tell of UTF-16; then UTF-8 is taken where most
    lines are valid as such, which hardly any text in another encoding is; then what has the
    commonest characters. Lines that are no UTF-8 may be of another encoding than the rest: both are
    named then, with `MIXED` between.

    Args:
        sample: the start of a file.
        name: of the file, for messages.

    Raises:
        ReproError: it may be one or another.

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
    # The sample may end within a character.
    whole = sample[: sample.rfind(b"\n") + 1] or sample
    if _is_utf8(whole):
        return "utf-8"
    every = whole.splitlines()
    written, bad = _other_lines(every[:: 1 + len(every) // COMPARED_LINES])
    if not bad:
        written, bad = _other_lines(every)
    found = plausibility.guess(b"\n".join(bad)[:GUESSED_BYTES])
    if len(bad) < _MOST_BY_CHANCE * len(written):
        # Of a damaged line the characters are not common in any other encoding.
        mixed = found.sure and found.common > _LEAST_OF_MIXED
        return f"utf-8{MIXED}{found.encoding}" if mixed else "utf-8"
    if found.sure:
        return found.encoding
    if found.rival:
        raise ReproError(
            f"{name}: may be {found.encoding} or {found.rival}; expected its encoding by name "
            f"(reviews.encoding in {paths.PARAMS}, or --encoding)"
        )
    log.warning("%s: too few common characters to tell the encoding; taken for gb18030", name)
    return "gb18030"


def _other_lines(lines: list[bytes]) -> tuple[list[bytes], list[bytes]]:
    """Return those that have more than ASCII, and those of them that are no UTF-8."""
    written = [line for line in lines if not line.isascii()]
    return written, [line for line in written if not _is_utf8(line)]


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _feeds(sample: bytes, encoding: str) -> int:
    """Count the line feeds, where no other characters share a line feed's bytes."""
    feed = re.escape("\n".encode(encoding))
    return sum(match.start() % 2 == 0 for match in re.finditer(feed, sample))
