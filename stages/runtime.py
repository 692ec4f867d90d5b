"""What every stage process does first: report faults in one message, fix seeds and threads."""

import os
import random
import sys
from collections.abc import Callable

from stages import ReproError, paths
from stages.params import Runtime


def run(main: Callable[[], None]) -> None:
    """Run a stage; a `ReproError` ends it with one message on stderr and exit status 1."""
    try:
        main()
    except ReproError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def configure(runtime: Runtime, branches: int = 1) -> None:
    """Fix the seeds, the threads, the op determinism and the kernels of TensorFlow and Keras.

    Must come before TensorFlow's first op. The number of threads decides in which order sums are
    taken and thus their last bits; the number of cores then no longer matters.

    Args:
        runtime: the section of params.yaml.
        branches: of the network, which compute at the same time and share the threads.

    """
    os.environ["KERAS_BACKEND"] = "tensorflow"
    # ~/.keras/keras.json could change the float type or the image layout under our feet.
    os.environ["KERAS_HOME"] = str(paths.KERAS_HOME.absolute())
    # Start-up notes about CPU features and missing GPUs are no news to anyone.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # These choose kernels, each of which sums up in an order of its own: nobody else may set them.
    for name in ("TF_ENABLE_ONEDNN_OPTS", "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"):
        os.environ.pop(name, None)
    if runtime.portable:
        # oneDNN takes the kernels of the newest instructions that it finds, and TensorFlow takes
        # oneDNN's operations only where there is AVX-512.
        os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
        os.environ["ONEDNN_MAX_CPU_ISA"] = "AVX2"

    import keras
    import numpy as np
    import tensorflow as tf

    random.seed(runtime.seed)
    np.random.seed(runtime.seed)  # noqa: NPY002 - for libraries that use the global generator
    keras.utils.set_random_seed(runtime.seed)
    # To divide the small products of branches that keep all threads busy costs more than it gains.
    tf.config.threading.set_intra_op_parallelism_threads(max(1, runtime.threads // branches))
    tf.config.threading.set_inter_op_parallelism_threads(runtime.threads)
    if runtime.portable:
        # It would turn x / sqrt(y) into x * rsqrt(y), which each vendor approximates otherwise.
        tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})
    if runtime.deterministic:
        tf.config.experimental.enable_op_determinism()
