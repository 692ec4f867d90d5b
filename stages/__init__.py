"""From raw bytes to evaluated Keras models; each DVC stage is `python -m stages.NAME [ITEM]`."""

import sys

from stages import kernels

# Under which Keras registers our layers and optimizers: a saved model names them by it.
KERAS_PACKAGE = "keras_repro"

if sys.argv[0] == "-m":  # as Python has it while it looks for the module of `python -m stages.NAME`
    kernels.pin()


class ReproError(Exception):
    """Something that the user can mend.

    Its message is all that the user sees: it names the file, the key or the row, what was found
    there and what was expected.
    """
