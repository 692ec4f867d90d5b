"""Say whether this machine reproduces the committed bytes: `python -m stages.fingerprint`."""

import argparse
import json
import sys
from typing import Any

from stages import files, params, paths, runtime
from stages.reproducibility import fingerprint


def main() -> None:
    """Compare what this machine computes with what the machine of the committed run did.

    The exit status is 1 if they differ.
    """
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print the fingerprint itself")
    parser.add_argument(
        "--record", action="store_true", help=f"write it to {paths.FINGERPRINT}, after a full run"
    )
    arguments = parser.parse_args()
    settings = params.load().runtime
    print("computing ...", file=sys.stderr)  # noqa: T201 - it takes some seconds
    runtime.configure(settings)

    # It imports TensorFlow, which must not happen before it is configured.
    from stages.reproducibility import gradients

    found = fingerprint.measure(settings, gradients.COMPUTATIONS)
    if arguments.json:
        print(json.dumps(found, indent=2))  # noqa: T201 - what it is for
    elif arguments.record:
        files.write_json(paths.FINGERPRINT, found)
    else:
        committed = files.read_json(paths.FINGERPRINT)
        print(described(committed, found))  # noqa: T201 - what it is for
        if fingerprint.decisive(committed) != fingerprint.decisive(found):
            sys.exit(1)


def described(committed: dict[str, Any], found: dict[str, Any]) -> str:
    """Return in words how a fingerprint differs from the committed one."""
    differing = list(
        fingerprint.differences(fingerprint.decisive(committed), fingerprint.decisive(found))
    )
    there, here = (
        f"{one['cpu']}, Python {one['python']}, {one['libc']}" for one in (committed, found)
    )
    machines = f"the committed run: {there}\nthis machine:      {here}\n"
    if not differing:
        count = len(found["numerics"])
        return (
            f"{machines}All {count} computations have the same bits: "
            "this machine reproduces the committed bytes."
        )
    told = "\n".join(
        f"  {key.removeprefix('numerics.')}: other bits"
        if key.startswith("numerics.")
        else f"  {key}: {old} there, {new} here"
        for key, old, new in differing
    )
    return (
        f"{machines}This machine will not reproduce the committed bytes, as these differ:\n{told}"
    )


if __name__ == "__main__":
    runtime.run(main)
