"""One module per model.

`DATASET` says what it learns from, `Settings` what its section of params.yaml holds, and `build`
returns it untrained. A model that is trained in parts has `parts` and `stack` in place of `build`.

Layers have names of their own, because the names that Keras gives count what the process built
before and would end up in the saved bytes. The last two layers are `logits` and `probabilities`.
"""

import importlib
import importlib.util
from types import ModuleType
from typing import Any

from keras_repro.core import paths
from keras_repro.core.errors import ReproError
from keras_repro.core.params import Params

# Under which Keras registers our layers and optimizers: a saved model names them by it.
KERAS_PACKAGE = "keras_repro"


def module(name: str) -> ModuleType:
    """Return the module of a model that params.yaml has a section for.

    Raises:
        ReproError: there is no such module.

    """
    path = f"{__name__}.{name}"
    if importlib.util.find_spec(path) is None:
        raise ReproError(
            f"{paths.PARAMS}: has the model {name}, and {path.replace('.', '/')}.py is not there; "
            "expected both"
        )
    return importlib.import_module(path)


def settings(name: str, params: Params) -> Any:
    """Return the section of a model as its module describes it.

    Raises:
        ReproError: there is none, or a key of it is missing, unknown or mistyped.

    """
    params.check_model(name)  # before a module of this name is sought
    return params.model(name, module(name).Settings)
