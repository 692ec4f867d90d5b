"""What the dvc.lock files record, and whether that tells of the code and parameters beside them."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from keras_repro.core import paths
from keras_repro.core.errors import ReproError


class Output(NamedTuple):
    """An output as DVC recorded it.

    Attributes:
        stage: that made it, as DVC addresses it: train@cifar10_cnn, or
            stages/tutorial/dvc.yaml:layers of a further pipeline.
        md5: of its content.
        size: in bytes.

    """

    stage: str
    md5: str
    size: int


def outputs(root: Path) -> dict[Path, Output]:
    """Return the outputs in the locks of the repository at `root`, in the order of their stages.

    Raises:
        ReproError: there is no dvc.lock of the main pipeline, or a lock is none.

    """
    return dict(_recorded(root))


def further(root: Path) -> list[Path]:
    """Return the locks of the further pipelines that have been run."""
    return sorted((root / paths.FURTHER).glob(f"*/{paths.LOCK}"))


def address(pipeline: Path, stage: str) -> str:
    """Return what DVC calls a stage of a pipeline.

    >>> address(Path("."), "train"), address(Path("stages/tutorial"), "layers")
    ('train', 'stages/tutorial/dvc.yaml:layers')
    """
    return stage if pipeline == Path() else f"{pipeline}/dvc.yaml:{stage}"


def pipeline(stage: str) -> str:
    """Return the lock that records a stage.

    >>> pipeline("train@cifar10_cnn"), pipeline("stages/tutorial/dvc.yaml:layers")
    ('dvc.lock', 'stages/tutorial/dvc.lock')
    """
    file, colon, _ = stage.rpartition(":")
    return file.replace(".yaml", ".lock") if colon else str(paths.LOCK)


def cached(cache: Path, md5: str) -> Path:
    """Return where a cache of DVC keeps the content with a hash."""
    return cache / "files" / "md5" / md5[:2] / md5[2:]


def _recorded(root: Path) -> Iterator[tuple[Path, Output]]:
    for path in [root / paths.LOCK, *further(root)]:
        pipeline = path.parent.relative_to(root)
        try:
            content = YAML(typ="safe").load(path.read_text(encoding="utf-8"))
            # Stages of all pipelines run at the root, to which their paths are relative.
            yield from [
                (Path(out["path"]), Output(address(pipeline, stage), out["md5"], out["size"]))
                for stage, entry in content["stages"].items()
                for out in entry.get("outs", [])
            ]
        except FileNotFoundError:
            raise ReproError(f"{path}: not found; expected it of `dvc repro`") from None
        except (YAMLError, UnicodeDecodeError, AttributeError, KeyError, TypeError) as error:
            raise ReproError(
                f"{path}: not as `dvc repro` writes it ({type(error).__name__}: {error})"
            ) from None


class Disagreement(NamedTuple):
    """What a lock says and the pipelines do not.

    Attributes:
        stale: the stages that `dvc repro` would run although only cached data are missing.
        unknown: those that a lock records and no pipeline has, so that nobody would run them.

    """

    stale: list[str]
    unknown: list[str]


def disagreement() -> Disagreement:
    """Compare dvc.lock, and that of each further pipeline that has been run, with its pipeline.

    `dvc repro --dry` exits with 0 whether or not something is stale, so its output is read.

    Raises:
        ReproError: DVC cannot read the pipeline.

    """
    pipelines = [str(path.with_suffix(".yaml")) for path in further(Path())]
    result = subprocess.run(
        [sys.executable, "-m", "dvc", "repro", "--dry", "--allow-missing", "dvc.yaml", *pipelines],
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise ReproError(f"dvc.yaml: DVC cannot read the pipeline:\n{result.stderr.strip()}")
    stale = re.findall(r"Running stage '([^']+)'", result.stdout)
    same = re.findall(r"Stage '([^']+)' didn't change", result.stdout)
    recorded = dict.fromkeys(output.stage for _, output in _recorded(Path()))
    return Disagreement(stale, [stage for stage in recorded if stage not in {*stale, *same}])
