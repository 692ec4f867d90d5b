"""What every process does first: its log, one message for a fault, seeds and threads."""

import logging
import os
import random
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import FrameType
from typing import NoReturn

from tqdm import tqdm

import keras_repro
from keras_repro.core import files, kernels, paths
from keras_repro.core.errors import ReproError
from keras_repro.core.params import Runtime

log = logging.getLogger(__name__)

EXPERIMENT = "DVC_EXP_BASELINE_REV"  # which DVC gives the stages of `dvc exp run`


def run(main: Callable[[], None], before: Callable[[], None] = lambda: None) -> None:
    """Run a stage, which stops if what it depends on is changed meanwhile.

    Args:
        main: the stage.
        before: what may change a dependency.

    """
    command(partial(_watched, main, before))


class _Terminal(logging.Handler):
    """Writes each line of the log to standard error, above a progress bar where there is one."""

    def emit(self, record: logging.LogRecord) -> None:
        tqdm.write(self.format(record), file=sys.stderr)
        sys.stderr.flush()


def _show_log() -> None:
    """Show what this project logs; of other packages Python shows warnings by itself."""
    for name in ("keras_repro", "stages", "__main__"):  # the last is a stage that DVC runs
        logger = logging.getLogger(name)
        logger.setLevel(logging.INFO)
        if not logger.handlers:
            logger.addHandler(_Terminal())


def command(main: Callable[[], None]) -> None:
    """Run a command; a `ReproError` ends it with one message on stderr and exit status 1."""
    _show_log()
    try:
        main()
    except ReproError as error:
        sys.exit(f"error: {error}{_left_by_experiment()}")
    except KeyboardInterrupt:
        sys.stderr.write(_left_by_experiment())
        sys.exit(130)


def _left_by_experiment() -> str:
    """Say what an experiment leaves that has not come to its end, as DVC does not.

    A queued one has a directory of its own, which DVC removes.
    """
    if EXPERIMENT not in os.environ or f"{os.sep}.dvc{os.sep}" in f"{Path.cwd()}{os.sep}":
        return ""
    return (
        f"\n{paths.PARAMS} keeps what the experiment has set. Run the same command again to go on; "
        f"or take it back: git restore --staged --worktree {paths.PARAMS}\n"
    )


def _watched(main: Callable[[], None], before: Callable[[], None]) -> None:
    from keras_repro.core import dependencies  # commands do without what it imports

    refuse_other_code()
    before()
    files.before_output = dependencies.watch()
    with _interruptible():
        main()
    files.before_output()


@contextmanager
def _interruptible() -> Iterator[None]:
    """Let Ctrl-C be one where it comes to TensorFlow's C code, which makes a SystemError of it."""
    if signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        yield  # it is ignored, or somebody else's
        return
    came = False

    def interrupt(number: int, frame: FrameType | None) -> NoReturn:
        nonlocal came
        came = True
        signal.default_int_handler(number, frame)

    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    except Exception as error:
        if came:
            raise KeyboardInterrupt from error
        raise
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def refuse_other_code() -> None:
    """Refuse to run the code of another directory, to which PYTHONPATH and the like can lead.

    Raises:
        ReproError: a module is not as it stands in this directory.

    """
    root, here = Path(keras_repro.__file__).parents[1], Path.cwd()
    if root == here:
        return
    loaded = (getattr(module, "__file__", None) for module in list(sys.modules.values()))
    packages = tuple(f"{root / package}{os.sep}" for package in ("keras_repro", "stages"))
    for path in (Path(name) for name in loaded if name and name.startswith(packages)):
        own = here / path.relative_to(root)
        if not own.is_file() or own.read_bytes() != path.read_bytes():
            raise ReproError(
                f"{path}: is not the code of {own.relative_to(here)} in this directory; expected "
                "that (unset PYTHONPATH and PYTHONSAFEPATH)"
            )


@contextmanager
def _without_notes() -> Iterator[None]:
    """Leave out what C++ says while it is imported: of kernels, CPU features and missing GPUs.

    It heeds no log level so early. Exceptions pass.
    """
    sys.stderr.flush()
    stderr, nothing = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 2)
    try:
        yield
    finally:
        os.dup2(stderr, 2)
        os.close(stderr)
        os.close(nothing)


def configure(runtime: Runtime) -> None:
    """Fix the seeds, the threads, the op determinism and the kernels of TensorFlow and Keras.

    Must come before TensorFlow's first op. The number of threads decides in which order sums are
    taken and thus their last bits; the number of cores then no longer matters.

    Args:
        runtime: the section of params.yaml.

    """
    kernels.pin(portable=runtime.portable)
    if runtime.portable and not kernels.has_avx2():
        log.warning("this processor has no AVX2: its models are equivalent to others' at best")
    os.environ["KERAS_BACKEND"] = "tensorflow"
    # ~/.keras/keras.json could change the float type or the image layout under our feet.
    os.environ["KERAS_HOME"] = str(paths.KERAS_HOME.absolute())
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

    with _without_notes():
        import keras
        import numpy as np
        import tensorflow as tf

    random.seed(runtime.seed)
    np.random.seed(runtime.seed)  # noqa: NPY002 - for libraries that use the global generator
    keras.utils.set_random_seed(runtime.seed)
    share_threads(runtime)
    if runtime.portable:
        # It would turn x / sqrt(y) into x * rsqrt(y).
        tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})
        kernels.exact_rsqrt()
    if runtime.deterministic:
        tf.config.experimental.enable_op_determinism()


def share_threads(runtime: Runtime, branches: int = 1) -> None:
    """Share the threads among the branches of a network, which compute at the same time.

    To divide the small products of branches that keep all threads busy costs more than it gains.
    Must come before TensorFlow's first op, too.
    """
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(max(1, runtime.threads // branches))
    tf.config.threading.set_inter_op_parallelism_threads(runtime.threads)
