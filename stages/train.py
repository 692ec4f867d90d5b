"""Train a model: `python -m stages.train NAME`."""

import argparse

from stages import files, params, paths, runtime


def main() -> None:
    """Write models/NAME/model.keras and metrics/history/NAME.csv."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="a model of params.yaml")
    name = parser.parse_args().name
    settings = params.load()
    model_settings = settings.models.named(name)
    runtime.configure(settings.runtime)

    # These import TensorFlow, which must not happen before it is configured.
    from stages import models
    from stages.reproducibility import archive
    from stages.training import callbacks, data, trainer

    module = models.module(name)
    splits = data.load_training(module.DATASET, model_settings, settings.runtime.seed)
    model, rows = trainer.fit(module.build(model_settings, splits.inputs), model_settings, splits)
    archive.save(model, paths.model(name))
    files.write_csv(paths.history(name), callbacks.HISTORY_COLUMNS, rows)


if __name__ == "__main__":
    runtime.run(main)
