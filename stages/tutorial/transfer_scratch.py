"""Train the same network from random weights: `python -m stages.tutorial.transfer_scratch`."""

from keras_repro.core import files, params, paths, runtime

NAME = "transfer_scratch"


def main() -> None:
    """Write what `transfer` is measured against: its network, images and classes, but no source."""
    settings = params.load()
    runtime.configure(settings.runtime)

    # These import TensorFlow, which must not happen before it is configured.
    from keras_repro import models
    from keras_repro.training import run
    from keras_repro.tutorial.transfer import backbones, networks, runs, tasks

    transfer, own = settings.transfer, models.settings("cifar10_cnn", settings)
    used = {"transfer": transfer.model_dump(mode="json"), "network": own.model_dump(mode="json")}
    training = run.Run(NAME, settings.runtime, used, paths.raw_images(tasks.DATASET))
    seed, classes = settings.runtime.seed, len(transfer.classes)
    splits = runs.splits(*tasks.for_training(transfer, seed), classes, transfer.scratch, seed)
    backbone = backbones.build(transfer, own, tasks.IMAGE_SHAPE, weights=None)
    head = networks.head(transfer.head, backbone.output_shape[1:], classes)
    model = training.fit(networks.attach(head, backbone, NAME), transfer.scratch, splits)
    training.save(model)
    metrics = runs.measure(model, tasks.for_test(transfer), settings.evaluate.batch_size)
    files.write_json(paths.metrics(NAME), metrics)


if __name__ == "__main__":
    runtime.run(main)
