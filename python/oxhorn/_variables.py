"""`Variable`: a value that lives from call to call, such as a weight."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from oxhorn import _native
from oxhorn._naming import auto_name
from oxhorn._tensor import Operators, Tensor, as_array, as_traced
from oxhorn.saving.file_scope import claim

_keys = itertools.count(1)


class Variable(Operators):
    """A value that lives from call to call, and that training may change.

    Args:
        initializer: the first value, or a function `initializer(shape, dtype=...)` that makes it.
        shape: the extent of each axis, needed where the initializer is a function.
        dtype: the type of the elements.
        trainable: whether gradients change it.
        autocast: accepted for Keras; there is one precision.
        aggregation: accepted for Keras; there is one device.
        name: its name.
    """

    def __init__(
        self,
        initializer: Any,
        shape: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str = "none",
        synchronization: str = "auto",
        name: str | None = None,
        layout: Any = None,
        **kwargs: Any,
    ) -> None:
        if layout is not None:
            raise NotImplementedError(
                f"Variables are on one device. Received: layout={layout}, which is not supported."
            )
        key = kwargs.pop("key", None)
        if kwargs:
            raise TypeError(f"Unrecognized keyword arguments: {kwargs}")
        if callable(initializer):
            if shape is None:
                raise ValueError(
                    "When creating a Variable from an initializer, the `shape` argument should be "
                    f"specified. Received: initializer={initializer} and shape={shape}"
                )
            claim(shape)
            value = initializer(tuple(shape), dtype=dtype or "float32")
        else:
            value = initializer
        array = as_array(value, dtype)
        self.name = name or auto_name("variable")
        self.path = self.name
        self.trainable = trainable
        self.autocast = autocast
        self.aggregation = aggregation
        self.synchronization = synchronization
        self.regularizer: Any = None
        self.constraint: Any = None
        self.overwrite_with_gradient = False
        self._native = _native.Variable(key or f"variable-{next(_keys)}", array)

    @property
    def key(self) -> str:
        """What tells it from every other variable of the process."""
        return self._native.key

    @property
    def shape(self) -> tuple[int, ...]:
        return self._native.shape

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def dtype(self) -> str:
        return self._native.dtype

    @property
    def value(self) -> Any:
        """Its value: an array, or while a model is traced the tensor that stands for it."""
        return self.traced() if _native.tracing() else self.numpy()

    def numpy(self) -> np.ndarray:
        """A copy of its value."""
        return self._native.numpy()

    def traced(self) -> Tensor:
        """The tensor that stands for its value in what is being traced."""
        if self.regularizer is None and self.constraint is None:
            return self._native.traced(self.trainable)
        from oxhorn._registry import envelope

        return self._native.traced_weight(
            self.trainable,
            envelope(self.regularizer, "regularizer"),
            envelope(self.constraint, "constraint"),
        )

    def assign(self, value: Any) -> Any:
        """Gives it another value: at once, or while a model is traced at the end of each step."""
        if _native.tracing():
            new = as_traced(value, self.dtype)
            if new.shape != self.shape:
                new = _native.apply_function("broadcast_to", "numpy", new, self.shape)
            self._native.update(new)
            return new
        array = as_array(value, self.dtype)
        if array.shape != self.shape:
            if array.size == 1 and not self.shape:
                array = array.reshape(())
            else:
                raise ValueError(
                    "The shape of the target variable and the shape of the target value in "
                    f"`variable.assign(value)` must match. variable.shape={self.shape}, Received: "
                    f"value.shape={array.shape}. Target variable: {self}"
                )
        self._native.assign(np.ascontiguousarray(array) if array.ndim else array)
        return self

    def assign_add(self, value: Any) -> Any:
        return self.assign(self.value + value)

    def assign_sub(self, value: Any) -> Any:
        return self.assign(self.value - value)

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return self.numpy() if dtype is None else self.numpy().astype(dtype)

    def __float__(self) -> float:
        return float(self.numpy())

    def __int__(self) -> int:
        return int(self.numpy())

    def __index__(self) -> int:
        return self.__int__()

    def __bool__(self) -> bool:
        raise TypeError("A Keras Variable cannot be used as a boolean.")

    def __len__(self) -> int:
        return len(self.numpy())

    def __iter__(self) -> Any:
        return (self[i] for i in range(self.shape[0]))

    __hash__ = object.__hash__
    __eq__ = object.__eq__

    def __repr__(self) -> str:
        value = "" if _native.tracing() else f", value={self.numpy()}"
        return f"<Variable path={self.path}, shape={self.shape}, dtype={self.dtype}{value}>"
