"""What DVC runs: each stage is `python -m stages.NAME [ITEM]`, a script over `keras_repro`."""

import keras_repro.core  # noqa: F401 - pins NumPy's kernels, while Python still looks for the stage
