"""The same kernels on every processor, where each library would choose its own by instruction set.

A kernel adds up in an order of its own, so another one gives other bits. All here are for AVX2,
which x86-64 processors have had since 2013 (Intel) and 2015 (AMD); docs/reproducibility.md says
what was measured. Libraries read these variables when they are imported, so they are
pinned before.
"""

import math
import os
import platform
from pathlib import Path

# Of TensorFlow's oneDNN, which training and measuring use: these cost speed where there is AVX-512.
ONEDNN = {
    # By itself TensorFlow takes oneDNN's operations only where there is AVX-512.
    "TF_ENABLE_ONEDNN_OPTS": "1",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
}
# Of NumPy and OpenBLAS.
NUMPY = {
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",
    "OPENBLAS_CORETYPE": "Haswell",
    "OPENBLAS_NUM_THREADS": "1",
}
# Whatever else begins so may choose kernels, threads or a precision, and no user may.
PREFIXES = (
    "DNNL_",
    "GOTO_",
    "KERAS_",
    "MKL_",
    "NPY_",
    "OMP_",
    "ONEDNN_",
    "OPENBLAS_",
    "TF_",
    "XLA_",
)
# But these change no bit: how much is told, and how a GPU gets its memory.
KEPT = ("TF_CPP_", "TF_FORCE_GPU_ALLOW_GROWTH", "TF_GPU_ALLOCATOR")


def pin(*, portable: bool = True) -> None:
    """Set what chooses kernels, and remove what else of the environment does.

    Args:
        portable: False leaves oneDNN its choice, and with it the speed of AVX-512.

    """
    for name in list(os.environ):
        if name.startswith(PREFIXES) and not name.startswith(KEPT):
            del os.environ[name]
    if has_avx2():
        os.environ |= NUMPY | (ONEDNN if portable else {})


def exact_rsqrt() -> None:
    """Let Keras and TensorFlow compute 1 / sqrt(x) by a square root and a division.

    The processor's own instruction for it is an approximation, other bits for each vendor. Layers
    that normalize use it: UnitNormalization, BatchNormalization, GroupNormalization and more. So is
    the one for 1 / x, which TensorFlow takes wherever a graph divides a constant 1, so none may.
    """
    import tensorflow as tf  # which reads the variables above
    from tensorflow.python.ops import math_ops  # where tf.nn.batch_normalization finds it

    def rsqrt(x: tf.Tensor, name: str | None = None) -> tf.Tensor:
        # Infinite for 0, as it is: the unit length of zeros is cut at a great number.
        infinite = tf.constant(math.inf, x.dtype)
        return tf.where(tf.equal(x, 0), infinite, tf.divide(tf.sqrt(x), x), name=name)

    tf.math.rsqrt = math_ops.rsqrt = rsqrt


def has_avx2() -> bool:
    """Say whether this processor has these kernels; another computes other bits."""
    if platform.machine() not in ("x86_64", "AMD64"):
        return False
    information = Path("/proc/cpuinfo")
    # Where there is no such file it is a Mac, and those with Intel's have it.
    return not information.exists() or " avx2" in information.read_text("utf-8")
