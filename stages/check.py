"""Fail if dvc.lock, params.yaml, metrics/ and the code do not agree: `python -m stages.check`."""

from stages import ReproError, params, runtime
from stages.reproducibility import lock, remotes


def main() -> None:
    """Name the stages that a clone would have to run again, and a remote that nobody checks."""
    params.load()
    if stale := lock.stale_stages():
        raise ReproError(
            f"dvc.lock: {', '.join(stale)} changed since the run that it records; "
            "expected none (run `dvc repro` and commit dvc.lock and metrics/)"
        )
    if remote := remotes.unverified():
        raise ReproError(
            f".dvc/config: the remote '{remote}' has no verify = true; expected it, or `dvc pull` "
            f"delivers damaged files (run `dvc remote modify {remote} verify true`)"
        )
    print("dvc.lock agrees with the code, params.yaml and metrics/")  # noqa: T201


if __name__ == "__main__":
    runtime.run(main)
