"""Draw a trained model: `python -m stages.tutorial.diagram NAME`."""

import argparse
import logging

from keras_repro.core import files, params, paths, runtime

log = logging.getLogger(__name__)


def main() -> None:
    """Write the model's graph, its summary and its page; a picture too, if Graphviz is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="a model of params.yaml")
    name = parser.parse_args().name
    settings = params.load()
    settings.check_model(name)
    runtime.configure(settings.runtime)

    # These import TensorFlow, which must not happen before it is configured.
    from keras_repro.reproducibility.exact import archive
    from keras_repro.tutorial.diagrams import drawing, graph, summary

    model = archive.load(paths.model(name))
    drawn = graph.of(model)
    table = summary.table(drawn, model)
    files.write_bytes(paths.diagram(name), drawing.dot(drawn).encode())
    files.write_bytes(paths.summary(name), table.encode())
    files.write_bytes(paths.model_page(name), summary.page(drawn, table).encode())
    picture = paths.diagram(name).with_suffix(".svg")
    drew = drawing.svg(paths.diagram(name), picture)
    told = "drawn" if drew else "not drawn: Graphviz' `dot` is not installed"
    log.info("%s %s", picture, told)


if __name__ == "__main__":
    runtime.run(main)
