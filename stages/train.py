"""Train a model: `python -m stages.train NAME`."""

import argparse

from stages import params, runtime


def main() -> None:
    """Write the model and the history of its training."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="a model of params.yaml")
    name = parser.parse_args().name
    settings = params.load()
    model_settings = settings.model(name)
    runtime.configure(settings.runtime, model_settings.branches)

    # These import TensorFlow, which must not happen before it is configured.
    from stages import models
    from stages.training import data, run, stacking

    module = models.module(name)
    used = {name: model_settings.model_dump(mode="json")}
    training = run.Run(name, settings.runtime, used, data.source(module.DATASET))
    seed = settings.runtime.seed
    if isinstance(model_settings, params.Hybrid):
        model = stacking.fit(training, module, model_settings, seed)
    else:
        splits = data.load_training(module.DATASET, model_settings, seed)
        model = training.fit(module.build(model_settings, splits.inputs), model_settings, splits)
    training.save(model)


if __name__ == "__main__":
    runtime.run(main)
