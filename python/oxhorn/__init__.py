"""Oxhorn: Keras, compiled by Rust.

`import oxhorn as keras` is enough for most scripts written for Keras.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from oxhorn._native import __version__
from oxhorn._tensor import KerasTensor
from oxhorn._variables import Variable
from oxhorn.dtype_policies import DTypePolicy
from oxhorn.initializers import Initializer
from oxhorn.layers.input_layer import Input
from oxhorn.layers.input_spec import InputSpec
from oxhorn.layers.layer import Layer
from oxhorn.losses import Loss
from oxhorn.metrics import Metric
from oxhorn.models.model import Model
from oxhorn.models.sequential import Sequential
from oxhorn.optimizers import Optimizer
from oxhorn.regularizers import Regularizer

if TYPE_CHECKING:
    from oxhorn import (
        activations as activations,
    )
    from oxhorn import (
        backend as backend,
    )
    from oxhorn import (
        calibration as calibration,
    )
    from oxhorn import (
        callbacks as callbacks,
    )
    from oxhorn import (
        config as config,
    )
    from oxhorn import (
        constraints as constraints,
    )
    from oxhorn import (
        datasets as datasets,
    )
    from oxhorn import (
        dtype_policies as dtype_policies,
    )
    from oxhorn import (
        initializers as initializers,
    )
    from oxhorn import (
        layers as layers,
    )
    from oxhorn import (
        lint as lint,
    )
    from oxhorn import (
        losses as losses,
    )
    from oxhorn import (
        metrics as metrics,
    )
    from oxhorn import (
        models as models,
    )
    from oxhorn import (
        ops as ops,
    )
    from oxhorn import (
        optimizers as optimizers,
    )
    from oxhorn import (
        random as random,
    )
    from oxhorn import (
        regularizers as regularizers,
    )
    from oxhorn import (
        saving as saving,
    )
    from oxhorn import (
        techniques as techniques,
    )
    from oxhorn import (
        tree as tree,
    )
    from oxhorn import (
        utils as utils,
    )

__all__ = [
    "DTypePolicy",
    "Initializer",
    "Input",
    "InputSpec",
    "KerasTensor",
    "Layer",
    "Loss",
    "Metric",
    "Model",
    "Optimizer",
    "Regularizer",
    "Sequential",
    "Variable",
    "__version__",
    "version",
]

# Modules that are imported when they are first asked for.
MODULES = frozenset(
    """activations backend calibration callbacks config constraints datasets dtype_policies
    initializers layers legacy lint losses metrics mixed_precision models ops optimizers
    preprocessing random regularizers saving study techniques tree utils""".split()
)


def version() -> str:
    """The version of this package."""
    return __version__


def __getattr__(name: str) -> Any:
    if name in MODULES:
        import importlib

        return importlib.import_module(f"oxhorn.{name}")
    raise AttributeError(
        f"module 'oxhorn' has no attribute {name!r}; it is not among the names of Keras that "
        "Oxhorn has"
    )
