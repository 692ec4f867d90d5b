"""Train cifar10_cnn on the source task: `python -m stages.transfer_source`."""

from stages import files, params, paths, runtime

NAME = "transfer_source"


def main() -> None:
    """Write the network that `transfer` starts from, its history and its test figures."""
    settings = params.load()
    runtime.configure(settings.runtime)

    # These import TensorFlow, which must not happen before it is configured.
    from stages.models import Inputs, cifar10_cnn
    from stages.training import run
    from stages.transferring import runs, tasks

    task, network = settings.transfer.source, settings.models.cifar10_cnn
    used = {"task": task.model_dump(mode="json"), "network": network.model_dump(mode="json")}
    training = run.Run(NAME, settings.runtime, used, paths.raw_images(tasks.DATASET))
    seed, classes = settings.runtime.seed, len(task.classes)
    splits = runs.splits(*tasks.for_training(task, seed), classes, task, seed)
    model = cifar10_cnn.build(network, Inputs(tasks.IMAGE_SHAPE, classes, None))
    model = training.fit(model, task, splits)
    training.save(model)
    figures = runs.measure(model, tasks.for_test(task), settings.evaluate.batch_size)
    files.write_json(paths.metrics(NAME), figures)


if __name__ == "__main__":
    runtime.run(main)
