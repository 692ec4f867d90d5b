"""Fail if a figure in metrics/ is below its gate: `python -m stages.gate`."""

from stages import ReproError, paths, runtime
from stages.reproducibility import gates


def main() -> None:
    """Name every figure that falls short."""
    least = gates.load()
    if lines := gates.shortfalls(least):
        raise ReproError("\n".join([f"{len(lines)} below {paths.GATES}", *lines]))
    print(f"all figures of {len(least)} models reach {paths.GATES}")  # noqa: T201 - the verdict


if __name__ == "__main__":
    runtime.run(main)
