"""Encode what the sequence models learn from: `python -m stages.tutorial.encode_sequences NAME`."""

import argparse

from keras_repro.core import files, params, paths, runtime
from keras_repro.tutorial.sequences import encoding


def main() -> None:
    """Write data/processed/seq2seq/NAME.npz with the sequences and NAME.json with their tokens."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=encoding.DATASETS)
    name = parser.parse_args().name
    encoded = encoding.DATASETS[name](params.load())
    files.write_npz(paths.sequences(name), encoded.arrays)
    files.write_json(paths.sequence_vocabularies(name), encoded.vocabularies, sort_keys=False)


if __name__ == "__main__":
    runtime.run(main)
