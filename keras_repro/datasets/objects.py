"""Objects of JSON: one a line, or all in an array; a Python dict that was printed counts as one."""

import ast
import json
import re
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any

from keras_repro.core.errors import ReproError
from keras_repro.datasets.delimited import Row
from keras_repro.datasets.encodings import LINE_LIMIT
from keras_repro.text.terms import NO_OBJECT, TOO_LONG

BETWEEN = re.compile(r"[\s,]*")
# Characters of a printed dict, which `ast` needs a hundredfold of memory for.
LONGEST_LITERAL = 1 << 17


def objects(lines: Iterable[str]) -> Iterator[Row]:
    r"""Yield the objects of JSON lines; blank lines are none.

    >>> [row.cells for row in objects(['{"text": "好", "label": 1}\n', "{'text': '差'}\n"])]
    [{'text': '好', 'label': 1}, {'text': '差'}]
    """
    for number, line in enumerate(lines, start=1):
        if line.strip("\ufeff \t\r\n"):
            yield _row(number, line)


def array(name: str, lines: Iterable[str]) -> Iterator[Row]:
    """Yield the objects of a file that is one array, or has an object a line.

    Args:
        name: of the file, for messages.
        lines: with their ends.

    Raises:
        ReproError: it is an array of something else, or ends within one.

    """
    found = iter(lines)
    first = next((line for line in found if line.strip()), "")
    if not first.lstrip().startswith("["):
        yield from objects(chain([first], found))
        return
    decoder, number = json.JSONDecoder(), 1
    text = first.lstrip()[1:]
    while True:
        between = BETWEEN.match(text)
        start = between.end() if between else 0
        number += text.count("\n", 0, start)
        text = text[start:]
        if text.startswith("]"):
            return
        try:
            cells, end = decoder.raw_decode(text)
        except (ValueError, RecursionError) as error:
            more = "".join(islice(found, 1 + text.count("\n")))  # not parsed anew with each line
            if not more or len(text) > LINE_LIMIT:
                raise ReproError(
                    f"{name}: line {number}: no object of a JSON array ({error}); expected objects "
                    'such as {"text": "很好", "label": 1}'
                ) from None
            text += more
            continue
        raw = text[:end]
        yield Row(number, cells, raw, None) if isinstance(cells, dict) else _bad(number, raw)
        number += raw.count("\n")
        text = text[end:]


def _row(number: int, line: str) -> Row:
    try:
        cells: Any = json.loads(line)
    except (ValueError, RecursionError):
        cells = _literal(line)
    return Row(number, cells, line, None) if isinstance(cells, dict) else _bad(number, line)


def _literal(line: str) -> Any:
    """Read what Python prints of a dict; nothing is evaluated."""
    if not line.lstrip().startswith("{") or len(line) > LONGEST_LITERAL:
        return None
    try:
        return ast.literal_eval(line.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return None


def _bad(number: int, raw: str) -> Row:
    return Row(number, None, raw, TOO_LONG if len(raw) >= LINE_LIMIT else NO_OBJECT)
