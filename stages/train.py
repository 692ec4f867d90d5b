"""Train a model: `python -m stages.train NAME`."""

import argparse

from keras_repro.core import params, runtime
from keras_repro.training import peers, workers


def main() -> None:
    """Write the model and the history of its training, or help another machine to do so."""
    parser = argparse.ArgumentParser(description=__doc__)
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("name", nargs="?", help="a model of params.yaml")
    what.add_argument(
        "--worker", metavar="ADDRESS", help="train with whoever calls at tcp://HOST:PORT"
    )
    what.add_argument("--connection", type=int, help=argparse.SUPPRESS)  # to who called
    given = parser.parse_args()
    if given.worker:
        workers.serve(given.worker)
    elif given.name:
        settings = params.load()
        settings.check_model(given.name)
        with workers.leading(given.name, settings) as group:
            train(given.name, settings, group)
    else:
        with workers.following(given.connection) as job:
            train(*job)


def train(name: str, settings: params.Params, group: peers.Group | None) -> None:
    """Train a model; the chief of a group, or whoever is alone, writes it."""
    runtime.configure(settings.runtime)

    # These import TensorFlow, which must not happen before it is configured.
    from keras_repro import inputs, models
    from keras_repro.training import run, stacking

    module, own = models.module(name), models.settings(name, settings)
    runtime.share_threads(settings.runtime, own.branches)
    kind, seed = inputs.of(module.DATASET), settings.runtime.seed
    used = {name: own.model_dump(mode="json")}
    training = run.Run(name, settings.runtime, used, kind.path, group)
    if hasattr(module, "parts"):
        model = stacking.fit(training, module, own, seed)
    else:
        data = kind.training(own, seed)
        model = training.fit(module.build(own, data.inputs), own, data)
    training.save(model)


if __name__ == "__main__":
    runtime.run(main)
