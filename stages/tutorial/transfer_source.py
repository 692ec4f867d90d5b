"""Train cifar10_cnn on the source task: `python -m stages.tutorial.transfer_source`."""

from keras_repro.core import files, params, paths, runtime

NAME = "transfer_source"


def main() -> None:
    """Write the network that `transfer` starts from, its history and its test metrics."""
    settings = params.load()
    runtime.configure(settings.runtime)

    # These import TensorFlow, which must not happen before it is configured.
    from keras_repro import models
    from keras_repro.inputs import ImageInputs
    from keras_repro.models import cifar10_cnn
    from keras_repro.training import run
    from keras_repro.tutorial.transfer import runs, tasks

    task, network = settings.transfer.source, models.settings("cifar10_cnn", settings)
    used = {"task": task.model_dump(mode="json"), "network": network.model_dump(mode="json")}
    training = run.Run(NAME, settings.runtime, used, paths.raw_images(tasks.DATASET))
    seed, classes = settings.runtime.seed, len(task.classes)
    splits = runs.splits(*tasks.for_training(task, seed), classes, task, seed)
    model = cifar10_cnn.build(network, ImageInputs(tasks.IMAGE_SHAPE, classes))
    model = training.fit(model, task, splits)
    training.save(model)
    metrics = runs.measure(model, tasks.for_test(task), settings.evaluate.batch_size)
    files.write_json(paths.metrics(NAME), metrics)


if __name__ == "__main__":
    runtime.run(main)
