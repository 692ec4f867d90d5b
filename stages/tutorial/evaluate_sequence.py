"""Measure a sequence model: `python -m stages.tutorial.evaluate_sequence NAME`."""

import argparse
import json

from keras_repro.core import files, params, paths, runtime


def main() -> None:
    """Write metrics/NAME.json for the test split; with --validation print those of that split."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="a model under seq2seq in params.yaml")
    parser.add_argument(
        "--validation",
        action="store_true",
        help="print the metrics of the validation split, to choose settings by",
    )
    arguments = parser.parse_args()
    settings = params.load()
    settings.sequence_model(arguments.name)  # an unknown name ends here
    runtime.configure(settings.runtime)

    # These import TensorFlow, which must not happen before it is configured.
    from keras_repro.reproducibility.exact import archive
    from keras_repro.tutorial.sequences import measures

    model = archive.load(paths.model(arguments.name))
    split = "validation" if arguments.validation else "test"
    metrics = measures.MEASURES[arguments.name](model, split, settings)
    if arguments.validation:
        shown = json.dumps(files.rounded(metrics), indent=2, sort_keys=True)
        print(shown)  # noqa: T201 - what was asked for
    else:
        files.write_json(paths.metrics(arguments.name), metrics)


if __name__ == "__main__":
    runtime.run(main)
