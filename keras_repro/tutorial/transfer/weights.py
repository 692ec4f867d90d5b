"""The published ImageNet weights of data/weights.yaml, from Keras' own address or a mirror."""

import logging
import os
import shutil
from pathlib import Path

import pooch

from keras_repro.core import files, paths
from keras_repro.core.errors import ReproError
from keras_repro.core.params import Download, Section, validated
from keras_repro.datasets import fetching
from keras_repro.datasets.registry import Md5, UrlSource

log = logging.getLogger(__name__)


class Weights(Section):
    """One published file; the hash is the one that Keras checks."""

    licence: str
    url: str
    md5: Md5

    @property
    def source(self) -> UrlSource:
        """The file as `fetching` knows it."""
        return UrlSource(type="url", url=self.url, md5=self.md5, format="h5")


class Published(Section):
    """The whole of data/weights.yaml."""

    vgg16: Weights
    vgg19: Weights
    resnet50: Weights
    inception_v3: Weights
    xception: Weights


def load(path: Path = paths.WEIGHTS) -> Published:
    """Read and validate data/weights.yaml.

    Raises:
        ReproError: the file is missing, is no YAML, or a key is missing, unknown or mistyped.

    """
    return validated(Published, path)


def obtain(backbone: str, published: Published, patience: Download) -> Path:
    """Return the weights' file, which is fetched unless it lies where Keras keeps its own.

    Raises:
        ReproError: neither the address nor the mirror gave it; the message says what to do.

    """
    weights: Weights = getattr(published, backbone)
    source = weights.source
    target = paths.KERAS_WEIGHTS / source.filename
    if _fault(target, source) is None:
        return target
    log.info("%s: trying %s", target, source.url)
    try:
        with files.scratch() as scratch:
            _keep(fetching.from_url(source, scratch, patience), target)
    except fetching.SourceError as error:
        directory = os.environ.get(fetching.MIRROR_VARIABLE)
        mirrored = Path(directory or ".", source.filename)
        fault = _fault(mirrored, source) if directory else "it is not set"
        if fault:
            raise ReproError(_advice(backbone, source, str(error), fault)) from None
        log.warning("%s: %s\n%s: taking %s", source.url, error, target, mirrored)
        _keep(mirrored, target)
    return target


def _fault(path: Path, source: UrlSource) -> str | None:
    """Say why a file cannot serve as what the source would give, or return None."""
    if not path.is_file():
        return f"{path}: not found"
    digest = pooch.file_hash(str(path), alg="md5")
    return None if digest == source.md5 else f"{path}: {files.sized(path)} with md5 {digest}"


def _keep(path: Path, target: Path) -> None:
    with files.replacing(target) as temporary:
        shutil.copyfile(path, temporary)


def _advice(backbone: str, source: UrlSource, unfetched: str, unmirrored: str) -> str:
    mirror = fetching.MIRROR_VARIABLE
    return (
        f"{source.filename}: the ImageNet weights of {backbone} cannot be had\n"
        f"  {source.url}: {unfetched}\n"
        f"  mirror {mirror}: {unmirrored}\n"
        f"expected md5 {source.md5}; put that file into a directory and name this in {mirror}, "
        f"or in {paths.PARAMS} set transfer.weights to the path of a weights file of {backbone} "
        "(null starts from random ones)"
    )
