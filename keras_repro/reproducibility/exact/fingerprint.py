"""What this machine computes: hashes of fixed computations, and all that could explain them.

Two machines whose numerics and packages agree leave the same bytes. Where they differ, the names of
the computations say why.
"""

import platform
import re
from collections.abc import Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from keras_repro.core.params import Runtime

# Those whose version can change a byte of an output.
PACKAGES = ("jieba", "keras", "numpy", "pillow", "pyarrow", "scikit-learn", "snownlp", "tensorflow")
# What decides the bytes; all else is how the machine is called and what it could do.
DECISIVE = ("packages", "threads", "deterministic", "portable", "numerics")


def measure(runtime: Runtime, further: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Return the fingerprint of this process, which `runtime.configure` has set up.

    Args:
        runtime: as it is configured.
        further: computations to hash beyond those of `numerics`, by name.

    """
    from keras_repro.reproducibility.exact import (
        numerics,  # imports TensorFlow; comparing needs none
    )

    return {
        "cpu": processor(),
        "simd": np.show_config("dicts")["SIMD Extensions"].get("found", []),
        "libc": " ".join(platform.libc_ver()),
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in PACKAGES},
        "threads": runtime.threads,
        "deterministic": runtime.deterministic,
        "portable": runtime.portable,
        "numerics": numerics.hashes(numerics.COMPUTATIONS | dict(further or {})),
    }


def locked(requirements: str) -> dict[str, str]:
    """Return the versions of `PACKAGES` in the text of a file of requirements."""
    pinned = dict(re.findall(r"^([\w.-]+)==(\S+)", requirements, re.MULTILINE))
    return {name: pinned.get(name, "") for name in PACKAGES}


def decisive(fingerprint: dict[str, Any]) -> dict[str, Any]:
    """Return the part of a fingerprint that decides the bytes of the outputs."""
    return {key: fingerprint.get(key) for key in DECISIVE}


def described(committed: dict[str, Any], found: dict[str, Any]) -> str:
    """Return in words how a fingerprint differs from the committed one."""
    differing = list(differences(decisive(committed), decisive(found)))
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


def differences(
    before: dict[str, Any], after: dict[str, Any], within: str = ""
) -> Iterator[tuple[str, Any, Any]]:
    """Yield the key, the earlier and the later value of each difference of nested mappings.

    >>> list(differences({"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}))
    [('a.c', 2, 3)]
    """
    for key in sorted(before.keys() | after.keys()):
        name = f"{within}{key}"
        old, new = before.get(key), after.get(key)
        if isinstance(old, dict) and isinstance(new, dict):
            yield from differences(old, new, f"{name}.")
        elif old != new:
            yield name, old, new


def processor() -> str:
    """Return the processor's name; a virtual machine may hide the exact model."""
    information = Path("/proc/cpuinfo")
    for line in information.read_text("utf-8").splitlines() if information.exists() else []:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
