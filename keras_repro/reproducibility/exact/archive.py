"""`.keras` archives with the same bytes for the same model.

Keras writes into them the time of saving, the ZIP format's time of each member, and Python's object
ids, which differ from process to process. Here the times are fixed and the ids counted from 1. In
place of this project's own Adam stands Keras', so that the archive can be loaded without it.
"""

import json
import zipfile
from pathlib import Path
from typing import Any

import keras

from keras_repro.core import files
from keras_repro.core.errors import ReproError
from keras_repro.models import KERAS_PACKAGE
from keras_repro.models.layers.locally_connected import LocallyConnected1D, LocallyConnected2D
from keras_repro.models.layers.thresholded_relu import ThresholdedReLU

FUSED_ADAM = f"{KERAS_PACKAGE}>FusedAdam"
KERAS_ADAM = {"module": "keras.optimizers", "class_name": "Adam", "registered_name": None}
# Keras finds only its own layers by the names in an archive.
CUSTOM_LAYERS = (LocallyConnected1D, LocallyConnected2D, ThresholdedReLU)


def save(model: keras.Model, path: Path) -> None:
    """Write a model as a canonical `.keras` archive, atomically."""
    with files.scratch() as directory:
        raw = directory / "model.keras"
        model.save(raw)
        with files.replacing(path) as temporary:
            canonicalise(raw, temporary)


def load(path: Path) -> keras.Model:
    """Load a model without running code from the archive.

    Raises:
        ReproError: the file is missing, truncated or no Keras model.

    """
    custom = {keras.saving.get_registered_name(layer): layer for layer in CUSTOM_LAYERS}
    try:
        return keras.models.load_model(path, custom, compile=False, safe_mode=True)
    except Exception as error:
        # Keras raises whatever the damage leads to: ValueError, OSError, KeyError, TypeError.
        found = files.sized(path) if path.is_file() else "nothing"
        raise ReproError(
            f"{path}: found {found}, expected a whole .keras archive ({error}); "
            "run `dvc repro`, which makes it again"
        ) from error


def canonicalise(source: Path, target: Path) -> None:
    """Copy a `.keras` archive without what changes from one saving to the next."""
    with zipfile.ZipFile(source) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    metadata = json.loads(members["metadata.json"])
    metadata.pop("date_saved", None)
    members["metadata.json"] = _json(metadata)
    config = json.loads(members["config.json"])
    optimizer = (config.get("compile_config") or {}).get("optimizer")
    if isinstance(optimizer, dict) and optimizer["registered_name"] == FUSED_ADAM:
        optimizer |= KERAS_ADAM
    members["config.json"] = _json(_renumbered(config, {}))
    with zipfile.ZipFile(target, "w") as archive:
        for name in sorted(members):
            archive.writestr(zipfile.ZipInfo(name, files.ZIP_EPOCH), members[name])


def _renumbered(node: Any, numbers: dict[int, int]) -> Any:
    """Replace each `shared_object_id` by its rank of appearance."""
    if isinstance(node, list):
        return [_renumbered(item, numbers) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: numbers.setdefault(value, len(numbers) + 1)
        if key == "shared_object_id"
        else _renumbered(value, numbers)
        for key, value in node.items()
    }


def _json(content: Any) -> bytes:
    return json.dumps(content, sort_keys=True).encode("utf-8")
