"""What dvc.lock records, and whether that tells of the code and parameters beside it."""

import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from stages import ReproError, paths


class Output(NamedTuple):
    """An output as DVC recorded it.

    Attributes:
        stage: that made it, such as train@cifar10_cnn.
        md5: of its content.
        size: in bytes.

    """

    stage: str
    md5: str
    size: int


def outputs(root: Path) -> dict[Path, Output]:
    """Return the outputs in the dvc.lock of the repository at `root`, in the order of their stages.

    Raises:
        ReproError: there is no dvc.lock, or it is none.

    """
    path = root / paths.LOCK
    try:
        content = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
        return {
            Path(out["path"]): Output(stage, out["md5"], out["size"])
            for stage, entry in content["stages"].items()
            for out in entry.get("outs", [])
        }
    except FileNotFoundError:
        raise ReproError(f"{path}: not found; expected it of `dvc repro`") from None
    except (YAMLError, UnicodeDecodeError, AttributeError, KeyError, TypeError) as error:
        raise ReproError(
            f"{path}: not as `dvc repro` writes it ({type(error).__name__}: {error})"
        ) from None


def stale_stages() -> list[str]:
    """Return the stages that `dvc repro` would run although only cached data are missing.

    Those of dvc.yaml, and of each further pipeline that has been run and so has a lock beside it.
    `dvc repro --dry` exits with 0 whether or not something is stale, so its output is read.

    Raises:
        ReproError: DVC cannot read the pipeline.

    """
    further = sorted(str(path.with_suffix(".yaml")) for path in Path().glob(f"*/{paths.LOCK}"))
    result = subprocess.run(
        [sys.executable, "-m", "dvc", "repro", "--dry", "--allow-missing", "dvc.yaml", *further],
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise ReproError(f"dvc.yaml: DVC cannot read the pipeline:\n{result.stderr.strip()}")
    return re.findall(r"Running stage '([^']+)'", result.stdout)
