"""Put together the network that is transferred: `python -m stages.tutorial.backbone`."""

from pathlib import Path

from keras_repro.core import params, paths, runtime


def main() -> None:
    """Write the backbone with its preprocessing and its weights, frozen."""
    settings = params.load()
    runtime.configure(settings.runtime)

    # These import TensorFlow, which must not happen before it is configured.
    from keras_repro import models
    from keras_repro.reproducibility.exact import archive
    from keras_repro.tutorial.transfer import backbones, networks, tasks, weights

    transfer = settings.transfer
    place = Path(transfer.weights) if transfer.weights else None
    if transfer.weights == "imagenet":
        place = weights.obtain(transfer.backbone, weights.load(), settings.download)
    own = models.settings("cifar10_cnn", settings)
    backbone = backbones.build(transfer, own, tasks.IMAGE_SHAPE, place)
    networks.freeze(backbone)
    archive.save(backbone, paths.BACKBONE)


if __name__ == "__main__":
    runtime.run(main)
