"""Whether what `dvc pull` brings is checked."""

import subprocess
import sys

from keras_repro.core.errors import ReproError


def unverified() -> str | None:
    """Return the name of the default remote if DVC would not hash what it pulls from it.

    Unless a remote has `verify = true`, DVC takes a damaged object for the right one.

    Raises:
        ReproError: DVC cannot read its configuration.

    """
    result = subprocess.run(
        [sys.executable, "-m", "dvc", "config", "--list"],
        capture_output=True,
        text=True,
        check=False,
    )
    if result.returncode != 0:
        raise ReproError(f".dvc/config: DVC cannot read it:\n{result.stderr.strip()}")
    settings = dict(line.split("=", 1) for line in result.stdout.splitlines() if "=" in line)
    name = settings.get("core.remote")
    if name is None or settings.get(f"remote.{name}.verify", "").lower() == "true":
        return None
    return name
