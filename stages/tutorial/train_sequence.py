"""Train a sequence model: `python -m stages.tutorial.train_sequence NAME`."""

import argparse
from typing import Any

from keras_repro.core import files, params, paths, runtime


def main() -> None:
    """Write the model and the history of its training."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="a model under seq2seq in params.yaml")
    name = parser.parse_args().name
    settings = params.load()
    model_settings = settings.sequence_model(name)
    runtime.configure(settings.runtime)
    runtime.share_threads(settings.runtime, model_settings.branches)

    # These import TensorFlow, which must not happen before it is configured.
    from keras_repro import models
    from keras_repro.reproducibility.exact import archive
    from keras_repro.training import run
    from keras_repro.tutorial.sequences import data

    module = models.module(name)
    used: dict[str, Any] = {name: model_settings.model_dump(mode="json")}
    first = model_settings.begins_with if isinstance(model_settings, params.ManyToOne) else None
    trained = archive.load(paths.model(first)) if first else None
    if first:
        used["begins_with"] = files.sha256(paths.model(first))
    training = run.Run(name, settings.runtime, used, paths.sequences(module.DATASET))
    splits = data.load_training(module.DATASET, model_settings, settings.runtime.seed)
    model = module.build(model_settings, splits.inputs)
    if trained:
        module.begin_with(model, trained)
    training.save(training.fit(model, model_settings, splits))


if __name__ == "__main__":
    runtime.run(main)
