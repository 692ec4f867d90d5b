"""Put together the network that is transferred: `python -m stages.backbone`."""

from pathlib import Path

from stages import params, paths, runtime


def main() -> None:
    """Write the backbone with its preprocessing and its weights, frozen."""
    settings = params.load()
    runtime.configure(settings.runtime)

    # These import TensorFlow, which must not happen before it is configured.
    from stages.reproducibility import archive
    from stages.transferring import backbones, networks, tasks, weights

    transfer = settings.transfer
    place = Path(transfer.weights) if transfer.weights else None
    if transfer.weights == "imagenet":
        place = weights.obtain(transfer.backbone, weights.load(), settings.download)
    own = settings.models.cifar10_cnn
    backbone = backbones.build(transfer, own, tasks.IMAGE_SHAPE, place)
    networks.freeze(backbone)
    archive.save(backbone, paths.BACKBONE)


if __name__ == "__main__":
    runtime.run(main)
