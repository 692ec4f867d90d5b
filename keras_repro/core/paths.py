"""Every path of the project, relative to the root of the repository, where DVC runs stages."""

import os
from pathlib import Path

ROOT = Path(__file__).parents[2]  # where this package lies; in a clone, the repository

PARAMS = Path("params.yaml")
FURTHER = Path("stages")  # where the further pipelines stand, each in a directory of its own
REGISTRY = Path("data/registry.yaml")
DICTIONARIES = Path("dict")
SEQUENCES = Path("data/sequences.yaml")

# A link to what `reviews.path` names, for DVC to watch.
OWN_REVIEWS = Path("data/own")
RAW_REVIEWS = Path("data/raw/reviews.parquet")
REJECTED_REVIEWS = Path("data/interim/rejected.csv")
VOCABULARY = Path("data/processed/vocabulary.json")
ENCODED_REVIEWS = Path("data/processed/reviews.npz")
NGRAM_VOCABULARY = Path("data/processed/ngram_vocabulary.npz")
NGRAMS = Path("data/processed/ngrams.npz")

WEIGHTS = Path("data/weights.yaml")
BACKBONE = Path("models/backbone/model.keras")
FEATURES = Path("data/processed/transfer_features.npz")

METRICS = Path("metrics")
REVIEW_COUNTS = METRICS / "reviews.json"

LAYERS = METRICS / "layers.json"
LAYERS_PAGE = Path("docs/layers.md")
CHINESE_LAYERS_PAGE = Path("docs/layers.zh.md")

# Not named in dvc.yaml: what is in Git, and must not change a hash in dvc.lock.
LOCK = Path("dvc.lock")
GATES = METRICS / "gates.yaml"
TOLERANCES = METRICS / "tolerances.yaml"
PACKAGES = Path("requirements.lock")
FINGERPRINT = METRICS / "fingerprint.json"  # of the machine of the committed run

# Not named in dvc.yaml: what may be deleted at any time and never changes a result.
CACHE = Path(".cache")
JIEBA_CACHE = CACHE / "jieba"
KERAS_HOME = CACHE / "keras"
KERAS_WEIGHTS = KERAS_HOME / "models"  # where Keras itself would look for them
SCRATCH = CACHE / "scratch"


def raw_images(dataset: str) -> Path:
    """Return where the canonical file of an image dataset lies."""
    return Path("data/raw") / f"{dataset}.npz"


def corpus(name: str) -> Path:
    """Return where a registered corpus waits to be merged with others."""
    return CACHE / "corpora" / f"{name}.parquet"


def sequences(dataset: str) -> Path:
    """Return where the encoded sequences lie that a sequence model learns from."""
    return Path("data/processed/seq2seq") / f"{dataset}.npz"


def sequence_vocabularies(dataset: str) -> Path:
    """Return where the tokens of those sequences lie, with their ids."""
    return sequences(dataset).with_suffix(".json")


def model(name: str) -> Path:
    """Return where the trained model lies."""
    return Path("models") / name / "model.keras"


def bundle(name: str) -> Path:
    """Return the directory with all that answering with a model needs."""
    return Path("models") / name / "bundle"


def checkpoint(name: str) -> Path:
    """Return the directory with what an interrupted training goes on from."""
    return CACHE / "training" / name


def tensorboard(name: str) -> Path:
    """Return the directory with what TensorBoard shows of a training; it holds times."""
    return CACHE / "tensorboard" / name


def history(name: str) -> Path:
    """Return where the metrics of each training epoch lie."""
    return METRICS / "history" / f"{name}.csv"


def metrics(name: str) -> Path:
    """Return where the test metrics of a model lie."""
    return METRICS / f"{name}.json"


def predictions(folder: str, name: str) -> Path:
    """Return where the predictions of a model or baseline on images or reviews lie."""
    return Path("data/predictions") / folder / f"{name}.npz"


def plots(name: str) -> Path:
    """Return the directory with the tables that `dvc plots` draws for a model."""
    return METRICS / "plots" / name


def diagram(name: str) -> Path:
    """Return where the graph of a model lies, in the DOT language."""
    return Path("models") / name / "model.dot"


def summary(name: str) -> Path:
    """Return where the table of a model's layers lies."""
    return Path("models") / name / "summary.txt"


def model_page(name: str) -> Path:
    """Return where the documentation shows a model."""
    return Path("docs/models") / f"{name}.md"


def user_cache() -> Path:
    """Return where what can be had again is kept for this user, wherever the project lies.

    Raises:
        RuntimeError: a user without a home.

    """
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "keras-repro"
