"""Print the table of results, or write it into README.md: `python -m stages.report [--write]`."""

import argparse
from pathlib import Path

from stages import files, runtime
from stages.reporting import results

README = Path("README.md")


def main() -> None:
    """Print or write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help=f"replace the table in {README}")
    table = results.table()
    if parser.parse_args().write:
        text = results.insert(README, table)
        with files.replacing(README) as temporary:
            temporary.write_text(text, encoding="utf-8", newline="\n")
    else:
        print(table)  # noqa: T201 - what it is for


if __name__ == "__main__":
    runtime.run(main)
