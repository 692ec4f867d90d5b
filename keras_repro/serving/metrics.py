"""The test metrics of all models, where the service is run beside them."""

from pathlib import Path
from typing import Any

from keras_repro.core import files, params, paths
from keras_repro.core.errors import ReproError
from keras_repro.core.metrics import SCORES
from keras_repro.reporting.results import BASELINES, TUTORIAL


def rows(root: Path = paths.ROOT) -> list[dict[str, Any]]:
    """Return the metrics of each model and of each baseline that was measured.

    A bundle that was copied elsewhere has no metrics beside it; then there are no rows.
    """
    baselines = {f"baseline_{name}": title for name, title in BASELINES.items()}
    try:
        models = params.load(root / paths.PARAMS).models
    except ReproError:
        return []
    titles: dict[str, str | None] = dict.fromkeys(models) | baselines
    shares = _shares(root)
    found = []
    for name, title in titles.items():
        try:
            measured = files.read_json(root / paths.metrics(name))
            kept = {key: measured[key] for key in (*SCORES, "n_test")}
        except (ReproError, KeyError, TypeError):
            continue
        told = {"tutorial": TUTORIAL.get(name), "cases": shares.get(name)}
        found.append({"name": name, "title": title} | told | kept)
    return found


def _shares(root: Path) -> dict[str, float]:
    """Return the share of short texts that each sentiment classifier has right."""
    try:
        found = files.read_json(root / paths.metrics("behaviour"))
        return {name: float(of["cases"]) for name, of in found.items()}
    except (ReproError, AttributeError, KeyError, TypeError, ValueError):
        return {}
