"""Compute a frozen backbone's features once: `python -m stages.features`."""

import sys

from stages import files, params, paths, runtime


def main() -> None:
    """Write the features and labels of the images that train and validate the transfer."""
    settings = params.load()
    runtime.configure(settings.runtime)

    # These import TensorFlow, which must not happen before it is configured.
    from stages.reproducibility import archive
    from stages.transferring import tasks

    backbone = archive.load(paths.BACKBONE)
    splits = tasks.for_training(settings.transfer, settings.runtime.seed)
    arrays = {}
    for name, images in zip(("train", "validation"), splits, strict=True):
        batches = images.in_order(settings.evaluate.batch_size)
        arrays[f"x_{name}"] = backbone.predict(batches, verbose=1 if sys.stderr.isatty() else 2)
        arrays[f"y_{name}"] = images.y
    files.write_npz(paths.FEATURES, arrays)


if __name__ == "__main__":
    runtime.run(main)
