"""Train a head on features, fine-tune, measure: `python -m stages.tutorial.transfer`."""

from keras_repro.core import files, params, paths, runtime

NAME = "transfer"


def main() -> None:
    """Write the transferred network, its history, its test metrics and the gain over scratch."""
    settings = params.load()
    runtime.configure(settings.runtime)

    # These import TensorFlow, which must not happen before it is configured.
    from keras_repro.reproducibility.exact import archive
    from keras_repro.training import run
    from keras_repro.tutorial.transfer import networks, runs, tasks

    transfer = settings.transfer
    used = {"transfer": transfer.model_dump(mode="json")}
    training = run.Run(NAME, settings.runtime, used, paths.FEATURES)
    seed, classes = settings.runtime.seed, len(transfer.classes)
    features = tasks.read_features()
    splits = runs.splits(*features, classes, transfer.head, seed)
    head = networks.head(transfer.head, features[0].x.shape[1:], classes)
    head = training.fit(head, transfer.head, splits)
    backbone = archive.load(paths.BACKBONE)
    if transfer.trainable_from:
        networks.fine_tune_from(backbone, transfer.trainable_from)
    model = networks.attach(head, backbone, NAME)
    if transfer.trainable_from:
        fine_tuning = transfer.fine_tuning
        splits = runs.splits(*tasks.for_training(transfer, seed), classes, fine_tuning, seed)
        model = training.fit(model, fine_tuning, splits)
    training.save(model)
    metrics = runs.measure(model, tasks.for_test(transfer), settings.evaluate.batch_size)
    scratch = files.read_json(paths.metrics("transfer_scratch"))["accuracy"]
    compared = {"accuracy_scratch": scratch, "gain": metrics["accuracy"] - scratch}
    files.write_json(paths.metrics(NAME), metrics | compared)


if __name__ == "__main__":
    runtime.run(main)
