"""Write the report, one HTML file: `python -m stages.report [--rev REV] [--out FILE]`."""

import argparse
from pathlib import Path

from stages import files, runtime
from stages.reporting import page


def main() -> None:
    """Write the report and say where it lies."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rev", help="a commit, branch, tag or experiment to compare with")
    parser.add_argument("--out", type=Path, default=page.PAGE, help="default: %(default)s")
    arguments = parser.parse_args()
    page.write(arguments.out, arguments.rev)
    print(f"{arguments.out}: {files.sized(arguments.out)}")  # noqa: T201 - what it is for


if __name__ == "__main__":
    runtime.run(main)
