"""Try every layer that the tutorial names, and document it: `python -m stages.tutorial.layers`."""

import sys

from tqdm import tqdm

from keras_repro.core import files, params, paths, runtime


def main() -> None:
    """Write metrics/layers.json and the page in both languages."""
    runtime.configure(params.load().runtime)

    # These import TensorFlow, which must not happen before it is configured.
    from keras_repro.tutorial.layer_trials import catalogue, document, trial

    tables = catalogue.tables()
    total = sum(len(table.cases) for table in tables)
    results = []
    with files.scratch() as directory, tqdm(total=total, file=sys.stderr, unit=" layers") as bar:
        for table in tables:
            rows = []
            for case in table.cases:
                rows.append((case, trial.run(case, directory)))
                bar.update()
            results.append((table, rows))
    metrics = {
        table.name: {case.name: outcome._asdict() for case, outcome in rows}
        for table, rows in results
    }
    files.write_json(paths.LAYERS, metrics)
    files.write_bytes(paths.LAYERS_PAGE, document.page(results).encode())
    chinese = document.page(results, document.CHINESE)
    files.write_bytes(paths.CHINESE_LAYERS_PAGE, chinese.encode())


if __name__ == "__main__":
    runtime.run(main)
