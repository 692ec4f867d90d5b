"""Print the table of results, or write those of the pages: `python -m stages.results [--write]`."""

import argparse
from collections.abc import Callable
from functools import partial
from pathlib import Path

from stages import files, runtime
from stages.reporting import results

PAGES: dict[Path, Callable[[], str]] = {
    Path("README.md"): results.table,
    Path("README.zh-CN.md"): partial(results.table, results.CHINESE),
    Path("docs/sentiment.md"): results.comparison,
}


def main() -> None:
    """Print the table of README.md, or write all tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    shown = " and ".join(map(str, PAGES))
    parser.add_argument("--write", action="store_true", help=f"replace the tables in {shown}")
    if parser.parse_args().write:
        texts = {page: results.insert(page, table()) for page, table in PAGES.items()}
        for page, text in texts.items():
            files.write_bytes(page, text.encode())
    else:
        print(results.table())  # noqa: T201 - what it is for


if __name__ == "__main__":
    runtime.run(main)
