"""The predictions that evaluation leaves to the comparison and to bundles."""

from pathlib import Path

import numpy as np
import pytest

from keras_repro.core.errors import ReproError
from keras_repro.evaluation import predictions

IDS = {"validation": np.array([b"a", b"b"], "S16"), "test": np.array([b"c"], "S16")}


@pytest.mark.parametrize("classes", [2, 3])
def test_they_come_back_to_the_bit(classes: int, tmp_path: Path) -> None:
    made = {
        split: np.random.default_rng(0).dirichlet(np.ones(classes), len(ids))
        for split, ids in IDS.items()
    }
    path = tmp_path / "a.npz"
    predictions.write(path, {split: predictions.of(made[split], IDS[split]) for split in IDS})
    for split, found in predictions.read(path, IDS).items():
        expected = made[split][:, 1] if classes == 2 else made[split]
        np.testing.assert_array_equal(found, expected)


def test_those_of_other_rows_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    content = {s: predictions.Predictions(np.zeros(len(ids)), ids) for s, ids in IDS.items()}
    predictions.write(path, content)
    with pytest.raises(ReproError, match=r"a\.npz: other rows in test than the data has now"):
        predictions.read(path, IDS | {"test": np.array([b"d"], "S16")})
