"""Pack up a model with all that answering needs: `python -m stages.export NAME`."""

import argparse

from keras_repro.core import params, paths, runtime


def main() -> None:
    """Write the directory models/NAME/bundle."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="a model of params.yaml")
    name = parser.parse_args().name
    settings = params.load()
    settings.check_model(name)
    runtime.configure(settings.runtime)

    # This imports TensorFlow, which must not happen before it is configured.
    from keras_repro.bundles import exporting

    exporting.export(name, settings, paths.bundle(name))


if __name__ == "__main__":
    runtime.run(main)
