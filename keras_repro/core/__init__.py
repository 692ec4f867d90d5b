"""The ground floor: errors, files, paths, parameters, set-up of a process. No TensorFlow."""

import sys

from keras_repro.core import kernels

if sys.argv[0] == "-m":  # as Python has it while it looks for the module of `python -m stages.NAME`
    kernels.pin()
