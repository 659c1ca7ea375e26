"""The state of an optimizer in files: its variables in Keras' order, one numbered after the other.

The engine that trains keeps them, and makes them when it first sees what it is to train on. So an
optimizer that a file has a state for is made ready before.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from oxhorn import tree
from oxhorn.optimizers.optimizer import SCOPE, Fixed, LearningRate, RegistryOptimizer

# The extent of open axes, in inputs that only say what a model keeps.
OPEN = 2


def variables(optimizer: RegistryOptimizer) -> list[Any]:
    """The variables of an optimizer, or those of one that has not seen any weights."""
    return optimizer.variables or initial(optimizer)


def initial(optimizer: RegistryOptimizer) -> list[Any]:
    """The variables of an optimizer that has not seen any weights."""
    rate = [LearningRate(optimizer)] if isinstance(optimizer._rate, float) else []
    return [Fixed("iteration", np.int64(0)), *rate]


def load(optimizer: RegistryOptimizer, own: list[Any], arrays: dict[str, np.ndarray]) -> None:
    """Gives the variables of an optimizer these values; warns and leaves it, where they differ in
    number or shape.
    """
    values = [arrays.get(str(number)) for number in range(len(own))]
    if len(arrays) != len(own) or any(value is None for value in values):
        message = (
            f"Skipping variable loading for optimizer '{optimizer.name}', because it has "
            f"{len(own)} variables whereas the saved optimizer has {len(arrays)} variables. "
        )
        if not own:
            message += "This is likely because the optimizer has not been called/built yet."
        warnings.warn(message, stacklevel=2)
        return
    for variable, value in zip(own, values):
        if tuple(variable.shape) != value.shape:
            warnings.warn(
                f"Skipping variable loading for optimizer '{optimizer.name}', because it has a "
                f"variable of shape {tuple(variable.shape)} where the saved optimizer has one of "
                f"shape {value.shape}.",
                stacklevel=2,
            )
            return
    for variable, value in zip(own, values):
        variable.assign(value)


def build(model: Any) -> None:
    """Makes what the optimizer of a compiled and built model keeps, as Keras does on loading."""
    if model.optimizer.built:
        return
    inputs = sample_inputs(model)
    if inputs is None:
        return
    flat = model._flat_x(inputs)
    model._set_objective(flat)
    model._engine.declare_optimizer([model._batch_type(array) for array in flat])


def sample_inputs(model: Any) -> Any:
    """Zeros in the shapes that a model was built for; `None` where nobody knows them."""
    if model._graph is not None:
        return tree.map_structure(_zeros_like, model._graph.inputs)
    shapes = model._build_shapes
    if not shapes or None in shapes.values():
        return None
    given = [tree.map_shape_structure(_zeros, shape) for shape in shapes.values()]
    return given[0] if len(given) == 1 else None


def _zeros_like(x: Any) -> np.ndarray:
    return _zeros(x.shape, x.dtype)


def _zeros(shape: Any, dtype: str = "float32") -> np.ndarray:
    return np.zeros([OPEN if extent is None else extent for extent in shape], dtype)


def names(model: Any, variables: list[Any]) -> list[str]:
    """The names of an optimizer's variables in legacy files: `adam/dense_kernel_momentum`.

    The engine calls slots by keys of the process in place of the paths of the weights.
    """
    weights = [(f"{v.key.replace('/', '_')}_", v.path) for v in model.trainable_variables]
    found = []
    for variable in variables:
        name = variable.path.removeprefix(SCOPE)
        for key, path in weights:
            if name.startswith(key):
                name = f"{path.replace('/', '_')}_{name.removeprefix(key)}"
                break
        found.append(f"{model.optimizer.name}/{name}")
    return found
