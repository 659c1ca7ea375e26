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
        backend as backend,
        callbacks as callbacks,
        config as config,
        constraints as constraints,
        datasets as datasets,
        dtype_policies as dtype_policies,
        initializers as initializers,
        layers as layers,
        losses as losses,
        metrics as metrics,
        models as models,
        ops as ops,
        optimizers as optimizers,
        random as random,
        regularizers as regularizers,
        saving as saving,
        tree as tree,
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
    """activations backend callbacks config constraints datasets dtype_policies initializers layers
    legacy losses metrics mixed_precision models ops optimizers preprocessing random regularizers
    saving tree utils""".split()
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
