"""data/registry.yaml as validated objects."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator

from keras_repro.core import paths
from keras_repro.core.errors import ReproError
from keras_repro.core.params import OWN_SOURCES, Section, validated

Sha256 = Annotated[str, StringConstraints(pattern="^[0-9a-f]{64}$")]
Md5 = Annotated[str, StringConstraints(pattern="^[0-9a-f]{32}$")]


class UrlSource(Section):
    """A file at an address."""

    type: Literal["url"]
    url: str
    sha256: Sha256 | None = None
    md5: Md5 | None = None
    format: str

    @model_validator(mode="after")
    def _hashed(self) -> Self:
        if (self.sha256 is None) == (self.md5 is None):
            raise ValueError("expected either sha256 or md5")
        return self

    @property
    def filename(self) -> str:
        """The name under which a mirror holds the file."""
        return self.url.rsplit("/", 1)[-1]

    @property
    def known_hash(self) -> str:
        """The hash as pooch writes it, the algorithm first."""
        return f"sha256:{self.sha256}" if self.sha256 else f"md5:{self.md5}"


class NpmSource(Section):
    """A package of the npm registry that the user's own client is configured for."""

    type: Literal["npm"]
    package: str
    version: str
    sha256: Sha256
    format: str

    @property
    def filename(self) -> str:
        """The name that `npm pack` gives to the tarball."""
        return f"{self.package}-{self.version}.tgz"

    @property
    def known_hash(self) -> str:
        """The hash as pooch writes it, the algorithm first."""
        return f"sha256:{self.sha256}"


class MirrorSource(Section):
    """The directory that the environment variable DATA_MIRROR names."""

    type: Literal["mirror"]


class PackageSource(Section):
    """Files inside an installed Python package, each with its SHA-256."""

    type: Literal["package"]
    package: str
    format: str
    files: dict[str, Sha256]


Source = Annotated[
    UrlSource | NpmSource | MirrorSource | PackageSource, Field(discriminator="type")
]


class Dataset(Section):
    """A dataset: what it is, its canonical file's SHA-256, its sources in the order of trial."""

    title: str
    homepage: str
    licence: str
    sha256: Sha256
    classes: list[str]
    sources: list[Source]


IMAGES = ("mnist", "cifar10")
REVIEWS = "reviews"


class Registry(Section):
    """The whole of data/registry.yaml."""

    mnist: Dataset
    cifar10: Dataset
    reviews: dict[str, Dataset]

    def images(self, name: str) -> Dataset:
        """Return an image dataset.

        Raises:
            ReproError: there is none of that name.

        """
        if name not in IMAGES:
            raise ReproError(
                f"{paths.REGISTRY}: no dataset '{name}'; expected one of mnist, cifar10, reviews"
            )
        dataset: Dataset = getattr(self, name)
        return dataset

    def corpus(self, name: str) -> Dataset:
        """Return a corpus of reviews.

        Raises:
            ReproError: there is none of that name.

        """
        if name not in self.reviews:
            raise ReproError(
                f"{paths.PARAMS}: reviews.source is '{name}'; expected {', '.join(OWN_SOURCES)} or "
                f"one of {', '.join(self.reviews)} (from {paths.REGISTRY})"
            )
        return self.reviews[name]


def dataset_of(model: str) -> str:
    """Return the dataset that a model is called after: one of images, or else the reviews.

    >>> dataset_of("cifar10_cnn"), dataset_of("sentiment_hybrid")
    ('cifar10', 'reviews')
    """
    named = (dataset for dataset in IMAGES if model.startswith(f"{dataset}_"))
    return next(named, REVIEWS)


def of_reviews(models: Iterable[str]) -> list[str]:
    """Return the models that are called after no dataset of images."""
    return [model for model in models if dataset_of(model) == REVIEWS]


def load(path: Path = paths.REGISTRY) -> Registry:
    """Read and validate the registry.

    Raises:
        ReproError: the file is missing, is no YAML, or a key is missing, unknown or mistyped.

    """
    return validated(Registry, path)
