"""Train a head on a backbone's features, fine-tune both, measure: `python -m stages.transfer`."""

from stages import files, params, paths, runtime

NAME = "transfer"


def main() -> None:
    """Write the transferred network, its history, its test figures and the gain over scratch."""
    settings = params.load()
    runtime.configure(settings.runtime)

    # These import TensorFlow, which must not happen before it is configured.
    from stages.reproducibility import archive
    from stages.transferring import networks, runs, tasks

    transfer = settings.transfer
    used = {"transfer": transfer.model_dump(mode="json")}
    run = runs.Run(NAME, settings.runtime, used, paths.FEATURES)
    features, validation_features = tasks.read_features()
    shape, classes = features.x.shape[1:], len(transfer.classes)
    head = networks.head(transfer.head, shape, classes)
    head = run.fit(head, transfer.head, features, validation_features)
    backbone = archive.load(paths.BACKBONE)
    if transfer.trainable_from:
        networks.fine_tune_from(backbone, transfer.trainable_from)
    model = networks.attach(head, backbone, NAME)
    if transfer.trainable_from:
        splits = tasks.for_training(transfer, settings.runtime.seed)
        model = run.fit(model, transfer.fine_tuning, *splits)
    run.save(model)
    figures = runs.measure(model, tasks.for_test(transfer), settings.evaluate.batch_size)
    scratch = files.read_json(paths.metrics("transfer_scratch"))["accuracy"]
    compared = {"accuracy_scratch": scratch, "gain": figures["accuracy"] - scratch}
    files.write_json(paths.metrics(NAME), figures | compared)


if __name__ == "__main__":
    runtime.run(main)
