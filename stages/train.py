"""Train a model: `python -m stages.train NAME`."""

import argparse

from keras_repro.core import params, runtime


def main() -> None:
    """Write the model and the history of its training."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="a model of params.yaml")
    name = parser.parse_args().name
    settings = params.load()
    settings.check_model(name)
    runtime.configure(settings.runtime)

    # These import TensorFlow, which must not happen before it is configured.
    from keras_repro import inputs, models
    from keras_repro.training import run, stacking

    module, own = models.module(name), models.settings(name, settings)
    runtime.share_threads(settings.runtime, own.branches)
    kind, seed = inputs.of(module.DATASET), settings.runtime.seed
    training = run.Run(name, settings.runtime, {name: own.model_dump(mode="json")}, kind.path)
    if hasattr(module, "parts"):
        model = stacking.fit(training, module, own, seed)
    else:
        data = kind.training(own, seed)
        model = training.fit(module.build(own, data.inputs), own, data)
    training.save(model)


if __name__ == "__main__":
    runtime.run(main)
