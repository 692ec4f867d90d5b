"""Compute a frozen backbone's features once: `python -m stages.tutorial.features`."""

import sys

from keras_repro.core import files, params, paths, runtime


def main() -> None:
    """Write the features and labels of the images that train and validate the transfer."""
    settings = params.load()
    runtime.configure(settings.runtime)

    # These import TensorFlow, which must not happen before it is configured.
    from keras_repro.reproducibility.exact import archive
    from keras_repro.tutorial.transfer import tasks

    backbone = archive.load(paths.BACKBONE)
    splits = tasks.for_training(settings.transfer, settings.runtime.seed)
    arrays = {}
    for name, images in zip(("train", "validation"), splits, strict=True):
        batches = images.in_order(settings.evaluate.batch_size)
        arrays[f"x_{name}"] = backbone.predict(batches, verbose=1 if sys.stderr.isatty() else 0)
        arrays[f"y_{name}"] = images.y
    files.write_npz(paths.FEATURES, arrays)


if __name__ == "__main__":
    runtime.run(main)
