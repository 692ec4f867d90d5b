"""What this machine computes: hashes of fixed computations, and all that could explain them.

Two machines whose fingerprints agree should leave the same bytes. Where they differ, the names of
the computations say why: random numbers and element-wise functions mostly agree everywhere, sums
and products only where the processor leads oneDNN and Eigen to the same kernels.
"""

import platform
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from stages.params import Runtime

# Those whose version can change a byte of an output.
PACKAGES = ("jieba", "keras", "numpy", "pillow", "pyarrow", "scikit-learn", "snownlp", "tensorflow")


def measure(runtime: Runtime) -> dict[str, Any]:
    """Return the fingerprint of this process, which `stages.runtime.configure` has set up."""
    from stages.reproducibility import numerics  # imports TensorFlow; comparing needs none

    return {
        "cpu": processor(),
        "simd": np.show_config("dicts")["SIMD Extensions"].get("found", []),
        "libc": " ".join(platform.libc_ver()),
        "python": platform.python_version(),
        "packages": {name: metadata.version(name) for name in PACKAGES},
        "threads": runtime.threads,
        "deterministic": runtime.deterministic,
        "portable": runtime.portable,
        "numerics": numerics.hashes(),
    }


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
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
