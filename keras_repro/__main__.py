"""`python -m keras_repro` is the command `keras-repro`."""

from keras_repro.core import kernels

kernels.pin()  # before anything imports NumPy

from keras_repro.serving.command import main  # noqa: E402

main()
