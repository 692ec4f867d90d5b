"""Draw a trained model: `python -m stages.diagram NAME`."""

import argparse
import sys

from stages import files, params, paths, runtime


def main() -> None:
    """Write the model's graph, its summary and its page; a picture too, if Graphviz is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", help="a model of params.yaml")
    name = parser.parse_args().name
    settings = params.load()
    settings.model(name)  # an unknown name ends here
    runtime.configure(settings.runtime)

    # These import TensorFlow, which must not happen before it is configured.
    from stages.diagrams import drawing, graph, summary
    from stages.reproducibility import archive

    model = archive.load(paths.model(name))
    drawn = graph.of(model)
    table = summary.table(drawn, model)
    files.write_bytes(paths.diagram(name), drawing.dot(drawn).encode())
    files.write_bytes(paths.summary(name), table.encode())
    files.write_bytes(paths.model_page(name), summary.page(drawn, table).encode())
    picture = paths.diagram(name).with_suffix(".svg")
    drew = drawing.svg(paths.diagram(name), picture)
    told = f"{picture} drawn" if drew else f"{picture} not drawn: Graphviz' `dot` is not installed"
    print(told, file=sys.stderr)  # noqa: T201 - what the user must know


if __name__ == "__main__":
    runtime.run(main)
