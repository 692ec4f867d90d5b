"""What the kinds of input have in common, on the small project."""

from pathlib import Path
from typing import cast

import numpy as np
import pytest
from conftest import MODELS, Project

from keras_repro import inputs, models
from keras_repro.core import params
from keras_repro.core.errors import ReproError
from keras_repro.inputs.batches import Batches
from keras_repro.inputs.images import Images
from keras_repro.text import schemas


@pytest.fixture
def settings(small_run: Project, monkeypatch: pytest.MonkeyPatch) -> params.Params:
    monkeypatch.chdir(small_run.root)
    return params.load()


def of(name: str, settings: params.Params) -> tuple[inputs.Kind, object]:
    return inputs.of(models.module(name).DATASET), models.settings(name, settings)


@pytest.mark.parametrize("name", MODELS)
def test_a_split_has_each_row_once_and_details_of_those_asked_for(
    name: str, settings: params.Params
) -> None:
    kind, own = of(name, settings)
    for split in ("validation", "test"):
        found = kind.split(split, own, seed=42, batch_size=7)
        rows = np.concatenate(found.batches.rows)
        assert sorted(rows) == list(range(len(found.labels)))
        assert set(found.labels) <= set(range(len(kind.classes())))
        labels = np.empty_like(found.labels)
        for number, chosen in enumerate(found.batches.rows):
            labels[chosen] = found.batches[number][1]
        np.testing.assert_array_equal(labels, found.labels)
        assert len(found.ids) in (0, len(found.labels))
    details = kind.details(np.array([3, 1]), settings)
    assert list(details.rows) == [3, 1]
    assert {len(values) for values in details.rows.values()} == {len(details.header)}


@pytest.mark.parametrize("name", MODELS)
def test_a_network_gets_what_it_was_told_of(name: str, settings: params.Params) -> None:
    kind, own = of(name, settings)
    section = own.wide if hasattr(own, "wide") else own
    data = kind.training(section, seed=1)
    batch, labels = data.train[0]
    assert len(batch) == len(labels) <= section.batch_size
    assert data.inputs.classes == len(kind.classes())
    match data.inputs:
        case inputs.ImageInputs(shape, _):
            assert batch.shape[1:] == shape
        case inputs.WordInputs(size, _):
            assert batch.max() < size
        case inputs.NgramInputs(rarity, columns, _):
            assert batch.shape[2] == columns
            assert batch.max() < len(rarity)


class TestImages:
    @staticmethod
    def own(fraction: float) -> params.ImageTraining:
        return params.ImageTraining.model_construct(validation_fraction=fraction, batch_size=10)

    def test_what_validates_never_trains_and_is_what_is_measured(
        self, settings: params.Params
    ) -> None:
        data = Images("mnist").training(self.own(0.2), seed=5)
        train = {image.tobytes() for n in range(len(data.train)) for image in data.train[n][0]}
        validating = Images("mnist").split("validation", self.own(0.2), seed=5, batch_size=99)
        found = {image.tobytes() for image in validating.batches[0][0]}
        assert len(found) == 60
        assert not found & train
        assert found == {
            i.tobytes() for n in range(len(data.validation)) for i in data.validation[n][0]
        }

    def test_none_to_validate(self, settings: params.Params) -> None:
        with pytest.raises(ReproError, match=r"data/raw/mnist\.npz: 300 training images, of which"):
            Images("mnist").training(self.own(0.0001), seed=5)


def test_a_table_of_another_run_is_named(settings: params.Params, tmp_path: Path) -> None:
    from keras_repro.inputs import texts

    ids = np.array([b"0" * 16, b"f" * 16])
    place = settings.storage.prepared_reviews
    with pytest.raises(ReproError, match=rf"{place}: lacks the review 0000000000000000 of data/"):
        texts.rows_of(np.array([0]), ids, place, schemas.PREPARED, ["id", "text"])


def test_a_gate_learns_where_a_text_is_from(settings: params.Params) -> None:
    kind, own = of("sentiment_hybrid", settings)
    own = cast("params.Hybrid", own)
    reviews, texts, origin = (
        kind.training(part, seed=1) for part in (own.wide, own.reader, own.gate)
    )

    def labels(data: Batches) -> np.ndarray:
        return np.concatenate([data[number][1] for number in range(len(data))])

    written, total = len(labels(reviews.train)), len(labels(texts.train))
    assert written < total
    neutral = round(settings.compose.neutral * (total - written))
    assert np.bincount(labels(origin.train)).tolist() == [total - written, written, neutral]
    assert set(labels(texts.train)) == {0, 1}
    assert set(labels(origin.validation)) == {1}  # all of them are reviews
