"""The code of docs/tutorial.md, run in one process.

`python tests/lesson.py` tells what each block prints, as JSON; `--write` puts it into both pages.
Code of the kind `python` is run; a block of the kind `text` after it shows what it prints. That of
the kind `keras-2` is the tutorial's, and only shown; were it called python, Ruff would format it.
"""

import contextlib
import io
import json
import re
import sys
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

PAGES = ("docs/tutorial.md", "docs/tutorial.zh.md")
FENCED = re.compile(r"^```(.*)\n((?:(?!```).*\n)*)```\n", re.MULTILINE)
# A block that is run, and the one after it.
RUN = re.compile(
    r"^```python\n(?P<code>(?:(?!```).*\n)*)```\n\n```text\n(?P<output>(?:(?!```).*\n)*)```\n",
    re.MULTILINE,
)


class Block(NamedTuple):
    """Code that is run, the line of its page where it begins, and what the page says it prints."""

    line: int
    code: str
    output: str


def fenced(page: str) -> list[tuple[str, str]]:
    """Return what stands in fences, each with the kind that it is called."""
    return FENCED.findall(page)


def blocks(page: str) -> list[Block]:
    """Return the blocks that are run."""
    return [
        Block(page.count("\n", 0, found.start()) + 2, found["code"], found["output"])
        for found in RUN.finditer(page)
    ]


def run(page: str, name: str) -> list[str]:
    """Return what each block prints, when all have run one after the other; a warning is a fault.

    Args:
        page: the text of the page.
        name: of its file, for what is told of a fault.

    """
    printed, names = [], {"__name__": "__main__"}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # Keras 3.15 reads TensorFlow's tensors in a way that NumPy 2 announces to drop.
        warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
        for block in blocks(page):
            said = io.StringIO()
            with contextlib.redirect_stdout(said):
                exec(compile("\n" * (block.line - 1) + block.code, name, "exec"), names)  # noqa: S102
            printed.append(said.getvalue())
    return printed


def write(root: Path, printed: list[str]) -> None:
    """Put what the blocks print into all pages."""
    for name in PAGES:
        outputs = iter(printed)
        page = (root / name).read_text("utf-8")
        page = RUN.sub(partial(_shown, outputs), page)
        (root / name).write_text(page, "utf-8")


def _shown(outputs: Iterator[str], found: re.Match[str]) -> str:
    return f"```python\n{found['code']}```\n\n```text\n{next(outputs)}```\n"


if __name__ == "__main__":
    root = Path(__file__).parents[1]
    name = PAGES[0]
    printed = run((root / name).read_text("utf-8"), name)
    if "--write" in sys.argv:
        write(root, printed)
    else:
        sys.stdout.write(json.dumps(printed))
