"""Train a sequence model: `python -m stages.train_sequence NAME`."""

import argparse

from stages import files, params, paths, runtime


def main() -> None:
    """Write the model, the history of its training and the fingerprint of this machine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="a model under seq2seq in params.yaml")
    name = parser.parse_args().name
    settings = params.load()
    model_settings = settings.seq2seq.model(name)
    runtime.configure(settings.runtime)

    # These import TensorFlow, which must not happen before it is configured.
    from stages import models
    from stages.reproducibility import archive, fingerprint
    from stages.sequences import data
    from stages.training import callbacks, checkpoint, trainer

    module = models.module(name)
    machine = fingerprint.measure(settings.runtime)
    parameters = {
        f"seq2seq.{name}": model_settings.model_dump(mode="json"),
        "runtime": settings.runtime.model_dump(mode="json"),
    }
    saved = checkpoint.Checkpoint(
        paths.checkpoint(name),
        checkpoint.origin(parameters, paths.sequences(module.DATASET), machine),
    )
    splits = data.load_training(module.DATASET, model_settings, settings.runtime.seed)
    model = module.build(model_settings, splits.inputs)
    model, rows = trainer.fit(model, model_settings, splits, saved)
    archive.save(model, paths.model(name))
    files.write_csv(paths.history(name), callbacks.HISTORY_COLUMNS, rows)
    files.write_json(paths.fingerprint(name), machine)
    saved.discard()


if __name__ == "__main__":
    runtime.run(main)
