"""Whether dvc.lock tells of the code, the parameters and the metrics that lie beside it."""

import re
import subprocess
import sys

from stages import ReproError


def stale_stages() -> list[str]:
    """Return the stages that `dvc repro` would run although only cached data are missing.

    `dvc repro --dry` exits with 0 whether or not something is stale, so its output is read.

    Raises:
        ReproError: DVC cannot read the pipeline.

    """
    result = subprocess.run(
        [sys.executable, "-m", "dvc", "repro", "--dry", "--allow-missing"],
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise ReproError(f"dvc.yaml: DVC cannot read the pipeline:\n{result.stderr.strip()}")
    return re.findall(r"Running stage '([^']+)'", result.stdout)
