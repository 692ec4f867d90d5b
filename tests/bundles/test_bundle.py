"""Bundles: what they hold, what they say, and what is refused."""

import json
import os
import re
import shutil
import string
import subprocess
import sys
import tempfile
import threading
from collections import Counter
from contextlib import suppress
from pathlib import Path

import keras
import numpy as np
import onnx
import pandas as pd
import pyarrow.parquet as pq
import pytest
from conftest import MODELS, ROOT, Project
from keras import layers
from sklearn.base import clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from keras_repro import SentimentClassifier, inputs, models
from keras_repro.bundles import bundle, onnx_graph
from keras_repro.bundles.bundle import Bundle
from keras_repro.bundles.images import ImageClassifier
from keras_repro.bundles.network import Network, as_probabilities
from keras_repro.bundles.sentiment import Sentiment
from keras_repro.core import files, params, paths
from keras_repro.core.errors import ReproError
from keras_repro.inputs import Split, batches, texts
from keras_repro.reproducibility.exact import archive

RANDOM = np.random.default_rng(1)


@pytest.fixture
def own(small_run: Project, tmp_path: Path) -> Path:
    """A copy of a bundle, far from the project."""
    return Path(
        shutil.copytree(small_run.root / "models/sentiment_hybrid/bundle", tmp_path / "own")
    )


def split(name: str) -> Split:
    """The test split of a model, in the current directory."""
    kind, settings = inputs.of(models.module(name).DATASET), models.settings(name, params.load())
    return kind.split("test", settings, seed=42, batch_size=64)


def network(model: keras.Model, path: Path) -> Network:
    path.write_bytes(onnx_graph.convert(model))
    return Network(path)


@pytest.mark.parametrize("name", MODELS)
def test_probabilities_are_those_of_keras_on_the_whole_test_split(
    small_run: Project, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(small_run.root)
    test = split(name).batches
    expected = batches.predict(archive.load(Path(f"models/{name}/model.keras")), test)
    exported = Network(Path(f"models/{name}/bundle/model.onnx"))
    found = np.empty_like(expected)
    for number, rows in enumerate(test.rows):
        found[rows] = as_probabilities(exported.logits(test[number][0]))
    assert len(found) >= 80
    np.testing.assert_allclose(found, expected, atol=1e-4)


@pytest.mark.parametrize("name", ["sentiment_bilstm", "sentiment_hybrid"])
def test_texts_are_read_as_the_test_split_was(
    small_run: Project, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(small_run.root)
    test = split(name)
    expected = batches.predict(archive.load(Path(f"models/{name}/model.keras")), test.batches)[:, 1]
    rows = pq.read_table("data/interim/reviews.parquet").to_pylist()
    texts = {row["id"]: row["text"] for row in rows}
    model = Sentiment(Path(f"models/{name}/bundle"))
    found = model.probabilities([texts[review.decode()] for review in test.ids])
    np.testing.assert_allclose(found, expected, atol=1e-4)


def test_an_answer_needs_the_bundle_alone_and_no_tensorflow(own: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from keras_repro.serving import command; "
        f"command.main(['predict', '--bundle', {str(own)!r}, '很好']); "
        "print(sorted({'tensorflow', 'keras', 'pandas', 'sklearn'} & set(sys.modules)))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={"PATH": "/usr/bin", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    answer, loaded = result.stdout.splitlines()
    assert answer.endswith(" 很好")
    assert loaded == "[]"


@pytest.mark.parametrize("home", [None, "", "/proc/none"])
def test_a_user_without_a_cache_is_left_nothing(
    own: Path, tmp_path: Path, home: str | None
) -> None:
    """As a user of no name may be, whose home is what HOME says; /proc takes no folder."""
    code = (
        "import os; os.getuid = lambda: 1 << 30; "
        "from keras_repro.serving import command; "
        f"command.main(['explain', '--bundle', {str(own)!r}, '很好'])"
    )
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    given = {"PATH": "/usr/bin", "PYTHONPATH": str(ROOT), "TMPDIR": str(temporary)}
    if home == "":
        given |= {"XDG_CACHE_HOME": "/proc/none"}
    result = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=given | ({} if home is None else {"HOME": home}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert "很好" in result.stdout
    assert list(temporary.iterdir()) == []


def test_a_dictionary_of_another_user(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture
) -> None:
    kept = tmp_path / "keras-repro/jieba/some.cache"
    kept.parent.mkdir(parents=True)
    kept.touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may all
    texts._segmenter.cache_clear()  # noqa: SLF001 - as in a process of its own
    Sentiment(own)
    assert capfd.readouterr().err == ""
    assert list(kept.parent.iterdir()) == [kept]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["keras-repro", "own"]


def test_no_directory_that_can_be_written(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/proc/none")
    monkeypatch.setattr(tempfile, "tempdir", "/proc/none")
    texts._segmenter.cache_clear()  # noqa: SLF001 - what is loaded already needs no directory
    with pytest.raises(ReproError, match="no directory can be written; expected one for jieba"):
        Sentiment(own)


def test_a_bundle_has_what_its_manifest_lists_and_no_more(small_run: Project) -> None:
    expected = {
        "sentiment_bilstm": {"stop_words.txt", "user_dict.txt", "vocabulary.json"},
        "sentiment_hybrid": {"ngrams.npz", "user_dict.txt"},
    }
    for name in MODELS:
        directory = small_run.root / f"models/{name}/bundle"
        manifest = Bundle(directory).manifest
        listed = {"README.md", "model.onnx"} | expected.get(name, set())
        assert set(manifest.files) == listed
        assert {path.name for path in directory.iterdir()} == listed | {"bundle.json"}
        assert manifest.model == name
        assert (manifest.threshold is not None) == name.startswith("sentiment")
    for name in expected:
        manifest = Bundle(small_run.root / f"models/{name}/bundle").manifest
        assert set(manifest.requires) == {"jieba", "opencc"}


def test_the_same_model_gives_the_same_bytes(small_run: Project, tmp_path: Path) -> None:
    project = small_run.copy(tmp_path / "again")
    shutil.rmtree(project.root / "models/sentiment_hybrid/bundle")
    result = project.stage("export", "sentiment_hybrid")
    assert result.returncode == 0, result.stderr
    for path in (project.root / "models/sentiment_hybrid/bundle").iterdir():
        other = small_run.root / "models/sentiment_hybrid/bundle" / path.name
        assert path.read_bytes() == other.read_bytes(), path.name


def test_a_parameter_that_a_bundle_holds_makes_it_anew(small_run: Project, tmp_path: Path) -> None:
    project = small_run.copy(tmp_path / "changed")
    assert "Running" not in project.dvc("repro", "--dry").stdout
    project.set("ngrams.max_length", 299)
    planned = project.dvc("repro", "--dry", "export@sentiment_hybrid").stdout
    assert "Running stage 'export@sentiment_hybrid'" in planned


class TestRefused:
    @pytest.mark.parametrize("name", ["model.onnx", "ngrams.npz", "bundle.json"])
    def test_missing(self, own: Path, name: str) -> None:
        (own / name).unlink()
        with pytest.raises(ReproError, match=rf"{re.escape(name)}: not found; expected"):
            Bundle(own)

    @pytest.mark.parametrize("name", ["model.onnx", "ngrams.npz"])
    def test_altered(self, own: Path, name: str) -> None:
        content = bytearray((own / name).read_bytes())
        content[len(content) // 2] ^= 1
        (own / name).write_bytes(content)
        with pytest.raises(ReproError, match=rf"{name}: has the SHA-256 \w+…; bundle.json expects"):
            Bundle(own)

    @pytest.mark.parametrize("name", ["weights.bin", ".hidden", "folder"])
    def test_what_is_not_listed(self, own: Path, name: str) -> None:
        (own / name).mkdir() if name == "folder" else (own / name).touch()
        expected = rf"{re.escape(name)}: not listed in bundle.json; expected nothing else"
        with pytest.raises(ReproError, match=expected):
            Sentiment(own)

    def test_weights_beside_the_network_that_nobody_lists(self, own: Path) -> None:
        network = onnx.load(own / "model.onnx")
        onnx.save(network, own / "model.onnx", save_as_external_data=True, location="weights.bin")
        hashed = json.loads((own / "bundle.json").read_text("utf-8"))["files"]
        self.change(own, files=hashed | {"model.onnx": files.sha256(own / "model.onnx")})
        with pytest.raises(ReproError, match=r"weights\.bin: not listed in bundle\.json"):
            Sentiment(own)

    def test_manifest_that_lists_nothing(self, own: Path) -> None:
        self.change(own, files={})
        with pytest.raises(
            ReproError, match=r"bundle\.json: does not list model\.onnx; expected it"
        ):
            Bundle(own)

    def test_other_format(self, own: Path) -> None:
        self.change(own, format=1)
        with pytest.raises(ReproError, match=r"bundle.json: format is 1; expected 5 \(`dvc repro"):
            Bundle(own)

    def test_other_version_of_a_package(self, own: Path) -> None:
        self.change(own, requires={"jieba": "0.41"})
        with pytest.raises(ReproError, match=r"jieba is 0\.42\.1; expected 0\.41"):
            Bundle(own)

    def test_package_that_is_not_there(self, own: Path) -> None:
        self.change(own, requires={"no-such-package": "1"})
        with pytest.raises(ReproError, match="no-such-package is not installed; expected 1"):
            Bundle(own)

    @pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": 1}', "\xff"])
    def test_manifest_that_is_none(self, own: Path, content: str) -> None:
        (own / "bundle.json").write_bytes(content.encode("latin-1"))
        with pytest.raises(ReproError, match=r"bundle.json: .*makes it again"):
            Bundle(own)

    def test_network_that_is_none(self, tmp_path: Path) -> None:
        (tmp_path / "model.onnx").write_bytes(b"no network")
        with pytest.raises(ReproError, match=r"model\.onnx: ONNX Runtime cannot read it"):
            Network(tmp_path / "model.onnx")

    def test_a_model_of_texts_for_pictures_and_the_other_way_round(
        self, small_run: Project
    ) -> None:
        directory = small_run.root / "models"
        with pytest.raises(ReproError, match="a model of texts; expected one of images"):
            ImageClassifier(directory / "sentiment_hybrid/bundle")
        with pytest.raises(ReproError, match="a model of images; expected one of texts"):
            Sentiment(directory / "mnist_sequential/bundle")

    @staticmethod
    def change(directory: Path, **values: object) -> None:
        path = directory / "bundle.json"
        path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | values), "utf-8")


@pytest.mark.parametrize(
    ("there", "told"), [(True, "`make repro` makes all"), (False, "name one by --bundle DIR or ")]
)
def test_no_bundle_in_a_clone_and_elsewhere(
    *, there: bool, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    if there:
        Path("params.yaml").touch()
    with pytest.raises(ReproError, match=told):
        bundle.located("sentiment_hybrid")


def test_a_failed_export_leaves_the_bundle_that_was_there(tmp_path: Path) -> None:
    target = tmp_path / "bundle"
    with bundle.writing(target) as fresh:
        (fresh / "first").touch()
    with suppress(ZeroDivisionError), bundle.writing(target) as fresh:
        (fresh / "second").touch()
        raise ZeroDivisionError
    assert [path.name for path in tmp_path.rglob("*")] == ["bundle", "first"]


def test_a_link_stays_and_what_it_names_is_replaced(own: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(own)
    assert Sentiment(link).name == "sentiment_hybrid"
    with bundle.writing(link) as fresh:
        (fresh / "other").touch()
    assert link.is_symlink()
    assert [path.name for path in own.iterdir()] == ["other"]


def test_where_two_directories_cannot_be_exchanged(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bundle.ctypes, "CDLL", lambda _: None)
    with bundle.writing(own) as fresh:
        (fresh / "other").touch()
    assert [path.name for path in tmp_path.rglob("*")] == ["own", "other"]


def test_replacing_leaves_no_moment_without_a_bundle(own: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(own, tmp_path / "copy")
    (copy / "README.md").write_text("Another one.", "utf-8")
    (copy / "bundle.json").unlink()  # or the new one would list it
    bundle.seal(copy, Bundle(own).manifest)
    both = {files.sha256(each / "README.md") for each in (own, copy)}
    ended = threading.Event()
    seen: Counter[str] = Counter()

    def look() -> None:
        while not ended.is_set():
            try:
                seen[Bundle(own).manifest.files["README.md"]] += 1
            except ReproError as error:
                seen[str(error)] += 1

    reader = threading.Thread(target=look)
    reader.start()
    for number in range(100):
        source = tmp_path / f"source{number}"
        shutil.copytree(copy if number % 2 == 0 else own, source)
        with bundle.writing(own) as fresh:
            fresh.rmdir()
            source.rename(fresh)
    ended.set()
    reader.join()
    assert sum(seen.values()) > 20
    assert set(seen) == both
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "own"]


class TestNetworks:
    """Layers as ONNX computes them, beside Keras, with random weights."""

    @staticmethod
    def agree(model: keras.Model, x: np.ndarray, path: Path) -> None:
        for variable in model.variables:
            if "seed" not in variable.name:
                variable.assign(RANDOM.normal(size=variable.shape, scale=0.3))
        scorer = keras.Model(model.inputs, model.get_layer("logits").output)
        expected = scorer.predict_on_batch(x)
        found = network(model, path / "model.onnx").logits(x)
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)

    @pytest.mark.parametrize("padding", ["same", "valid"])
    @pytest.mark.parametrize("strides", [1, 2])
    def test_convolutions(self, padding: str, strides: int, tmp_path: Path) -> None:
        model = keras.Sequential(
            [
                keras.Input((11, 9, 3), dtype="uint8", name="image"),
                layers.Rescaling(1 / 255, offset=-0.5),
                layers.Conv2D(4, 3, strides=strides, padding=padding, activation="relu"),
                layers.MaxPooling2D(2, padding=padding),
                layers.Dropout(0.5),
                layers.Reshape((-1, 2)),
                layers.Flatten(),
                layers.Dense(5, name="logits"),
                layers.Softmax(name="probabilities"),
            ]
        )
        self.agree(model, RANDOM.integers(0, 256, (6, 11, 9, 3)).astype(np.uint8), tmp_path)

    @pytest.mark.parametrize("masked", [True, False])
    def test_bidirectional_lstm(self, masked: bool, tmp_path: Path) -> None:  # noqa: FBT001
        tokens = keras.Input((None,), dtype="int32", name="tokens")
        words = layers.Embedding(20, 6, mask_zero=masked)(tokens)
        words = layers.SpatialDropout1D(0.5)(words)
        review = layers.Bidirectional(layers.LSTM(5))(words)
        logits = layers.Dense(2, name="logits")(review)
        x = RANDOM.integers(1, 20, (7, 9)).astype(np.int32)
        for row, length in zip(x, (9, 1, 4, 8, 2, 9, 3), strict=True):
            row[length:] = 0
        self.agree(keras.Model(tokens, layers.Softmax()(logits)), x, tmp_path)

    def test_a_layer_that_is_not_known(self) -> None:
        model = keras.Sequential(
            [
                keras.Input((3,), dtype="int32", name="x"),
                layers.LayerNormalization(name="norm"),
                layers.Dense(2, name="logits"),
            ],
            name="mine",
        )
        with pytest.raises(ReproError, match=r"mine/model\.keras: the layer norm is a LayerNorm"):
            onnx_graph.convert(model)

    def test_an_activation_that_is_not_known(self) -> None:
        model = keras.Sequential(
            [
                keras.Input((3,), dtype="int32", name="x"),
                layers.Dense(2, activation="tanh", name="logits"),
            ]
        )
        with pytest.raises(ReproError, match="logits has the activation tanh; expected linear"):
            onnx_graph.convert(model)


class TestSentiment:
    @pytest.fixture
    def model(self, small_run: Project) -> Sentiment:
        return Sentiment(small_run.root / "models/sentiment_hybrid/bundle")

    def test_an_answer_does_not_depend_on_the_texts_beside_it(self, model: Sentiment) -> None:
        texts = ["好", "房间很干净" * 50, "服务太差，再也不来", "好", " ".join("abc" * 60)]
        together = model.probabilities(texts)
        alone = [model.probabilities([text])[0] for text in texts]
        np.testing.assert_allclose(together, alone, atol=1e-6)
        assert together[0] == together[3]

    def test_batches_of_all_sizes(self, model: Sentiment) -> None:
        texts = [f"第{n}" + "好" * (n % 300) for n in range(700)]
        found = model.probabilities(texts)
        alone = [model.probabilities([text])[0] for text in texts[::97]]
        np.testing.assert_allclose(found[::97], alone, atol=1e-6)

    def test_label_is_positive_above_the_threshold(
        self, model: Sentiment, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        logits = np.stack([np.zeros(5), np.array([-0.2, -0.01, 0, 0.01, 0.2])], axis=1)
        monkeypatch.setattr(model, "_read", lambda texts: (logits, np.ones(len(texts), bool)))
        monkeypatch.setattr(model, "threshold", 0.5)
        assert [(answer.label, answer.reason) for answer in model.answers(["好"] * 5)] == [
            ("negative", None),
            ("none", "balanced"),
            ("none", "neutral"),
            ("none", "balanced"),
            ("positive", None),
        ]

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("!!!", "punctuation"),
            ("……", "punctuation"),
            ("I love this hotel, great service", "not_chinese"),
            ("12345", "not_chinese"),
            ("🧮", "punctuation"),
            ("龘靐齉爩", "unknown"),
        ],
    )
    def test_a_text_without_ground_has_no_verdict(
        self, model: Sentiment, text: str, reason: str
    ) -> None:
        assert model.answers([text]) == [("none", 0.5, reason)]

    def test_random_strings_have_no_verdict(self, model: Sentiment) -> None:
        random = np.random.default_rng(0)
        pools = [string.ascii_letters + string.digits, "".join(map(chr, range(0x4E00, 0x9FA6)))]
        texts = [
            "".join(random.choice(list(pool), random.integers(3, 30)))
            for pool in pools
            for _ in range(500)
        ]
        answers = model.answers([model.cleared(text) for text in texts])
        # Of a few characters, those that the small network knows are at times the first ones.
        assert sum(answer.label == "none" for answer in answers) >= 980

    @pytest.mark.parametrize("text", ["yyds", "YYDS!", "👍", "😡😡", "[赞]"])
    def test_what_is_no_chinese_and_still_says_something(self, model: Sentiment, text: str) -> None:
        (answer,) = model.answers([model.cleared(text)])
        assert answer.reason not in ("not_chinese", "punctuation")

    def test_words_are_weighed_by_what_changes_without_them(self, model: Sentiment) -> None:
        text = "房间很干净，但是服务太差"
        found = model.explain(text)
        effects = found.words
        assert "".join(effect.word for effect in effects) == text.replace("，", ",")
        assert (found.answer, found.text) == (model.predict(text), model.cleared(text))
        assert [clause.text for clause in found.clauses] == ["房间很干净", "但是服务太差"]
        judged, alone = found.clauses[1].answer, model.predict("但是服务太差")
        assert judged == (alone.label, pytest.approx(alone.probability, abs=1e-6), alone.reason)
        whole, without = model.odds([found.text, found.text.replace("干净", "")])
        (clean,) = [effect for word, effect in effects if word == "干净"]
        assert clean == pytest.approx(whole - without, abs=1e-5)

    def test_only_what_stands_at_the_start_of_a_long_text_is_weighed(
        self, model: Sentiment
    ) -> None:
        effects = model.explain("很好" * 1000).words
        assert sum(len(effect.word) for effect in effects) == 300

    def test_a_text_of_one_word(self, model: Sentiment) -> None:
        (effect,) = model.explain("好").words
        assert effect.word == "好"
        assert np.isfinite(effect.effect)

    def test_a_notebook_shows_an_explanation_and_no_markup_of_the_text(
        self, model: Sentiment
    ) -> None:
        shown = model.explain("<b>好</b>，房间小")._repr_html_()
        assert "<b>好</b>" not in shown
        assert "&lt;" in shown
        assert shown.count("<tr>") == len(model.explain("<b>好</b>，房间小").clauses)

    def test_one_text_or_many(self, model: Sentiment) -> None:
        texts = ["很好", "太差了", "great"]
        found = model.predict(texts)
        alone = [model.predict(text) for text in texts]
        assert found == [
            (one.label, pytest.approx(one.probability, abs=1e-6), one.reason) for one in alone
        ]
        assert model.predict(iter(texts)) == found
        assert model.predict([]) == []
        series = pd.Series(texts, index=[7, 3, 5])
        table = model.predict(series)
        assert list(table.columns) == ["label", "probability", "reason"]
        assert table.index.tolist() == [7, 3, 5]
        assert table["label"].tolist() == [answer.label for answer in found]
        assert table["probability"].tolist() == [answer.probability for answer in found]
        reasons = {number: answer.reason for number, answer in zip([7, 3, 5], found, strict=True)}
        assert reasons[5] == "not_chinese"
        assert table["reason"].dropna().to_dict() == {n: why for n, why in reasons.items() if why}

    @pytest.mark.parametrize(
        ("texts", "message"),
        [
            (["好", "  "], "text 1 is a text of 0 characters; expected 1 to 10,000"),
            (["好", None], "text 1 is None; expected a string"),
            ("", "a text of 0 characters; expected 1 to 10,000"),
        ],
    )
    def test_what_is_no_text_is_told(
        self, model: Sentiment, texts: list[str], message: str
    ) -> None:
        with pytest.raises(ReproError, match=f"^{message}$"):
            model.predict(texts)

    def test_loaded_from_here_or_by_path(
        self, small_run: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        monkeypatch.chdir(small_run.root)
        assert Sentiment.load().name == "sentiment_hybrid"
        bundle = small_run.root / "models/sentiment_bilstm/bundle"
        monkeypatch.chdir(tmp_path)
        assert Sentiment.load(str(bundle)).name == "sentiment_bilstm"

    def test_scikit_learn_takes_it_for_a_classifier(self, small_run: Project) -> None:
        place = small_run.root / "models/sentiment_hybrid/bundle"
        pipeline = make_pipeline(
            FunctionTransformer(lambda texts: [text.strip() for text in texts]),
            clone(SentimentClassifier(place)),
        )
        texts = [" 很好", "太差了 ", "great"]
        likely = pipeline.fit(texts).predict_proba(texts)
        assert likely.shape == (3, 2)
        np.testing.assert_allclose(likely.sum(axis=1), 1)
        names = np.array(["negative", "positive"])
        expected = names[(likely[:, 1] >= pipeline[-1].model_.threshold).astype(int)]
        assert pipeline.predict(texts).tolist() == expected.tolist()
        assert pipeline.score(texts, pipeline.predict(texts)) == 1
