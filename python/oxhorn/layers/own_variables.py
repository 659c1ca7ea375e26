"""Why a layer cannot take the variables that a file has for it, in Keras' words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def mismatch(layer: Any, store: Mapping[str, Any]) -> str | None:
    """Why a layer cannot take these arrays, one for each of its variables; `None` if it can."""
    variables = layer._own_variables()
    if len(store) != len(variables):
        if not variables and not layer.built:
            return (
                f"Layer '{layer.name}' was never built and thus it doesn't have any variables. "
                f"However the weights file lists {len(store)} variables for this layer."
            )
        return (
            f"Layer '{layer.name}' expected {len(variables)} variables, but received "
            f"{len(store)} variables during loading. Expected: {[v.name for v in variables]}"
        )
    for number, variable in enumerate(variables):
        array = store.get(str(number))
        if array is None:
            return f"The file has no variable {number} for layer '{layer.name}'."
        if tuple(array.shape) != variable.shape:
            return (
                "The shape of the target variable and the shape of the target value in "
                f"`variable.assign(value)` must match. variable.shape={variable.shape}, Received: "
                f"value.shape={tuple(array.shape)}. Target variable: {variable}"
            )
    return None
