"""The test figures of all models, where the service is run beside them."""

from pathlib import Path
from typing import Any

import stages
from stages import ReproError, files, params, paths
from stages.reporting.results import FIGURES, RIVALS, TUTORIAL

ROOT = Path(stages.__file__).parents[1]


def rows(root: Path = ROOT) -> list[dict[str, Any]]:
    """Return the figures of each model and of each rival that was measured.

    A bundle that was copied elsewhere has no figures beside it; then there are no rows.
    """
    rivals = {f"baseline_{name}": title for name, title in RIVALS.items()}
    titles: dict[str, str | None] = dict.fromkeys(params.Models.model_fields) | rivals
    found = []
    for name, title in titles.items():
        try:
            measured = files.read_json(root / paths.metrics(name))
            kept = {key: measured[key] for key in (*FIGURES, "n_test")}
        except (ReproError, KeyError, TypeError):
            continue
        found.append({"name": name, "title": title, "tutorial": TUTORIAL.get(name)} | kept)
    return found
