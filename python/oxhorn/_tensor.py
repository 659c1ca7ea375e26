"""What stands for arrays: tensors of a call, symbolic tensors of a functional model, operators.

Concrete values are NumPy arrays. A `Tensor` stands for one while a model is traced; a
`KerasTensor` stands for one while a functional model is put together.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from oxhorn import _native

Tensor = _native.Tensor

# What NumPy calls types that graphs do not have, and what is taken instead, as in JAX.
NARROWER = {
    "float64": "float32",
    "float16": "float32",
    "int64": "int32",
    "int16": "int32",
    "int8": "int32",
    "uint8": "int32",
    "uint16": "int32",
    "uint64": "uint32",
}


def as_array(value: Any, dtype: str | None = None) -> np.ndarray:
    """The value as an array of a type that graphs have."""
    if isinstance(value, Tensor):
        raise TypeError(
            f"A tensor of shape {value.shape} has no value while a model is traced: it stands for "
            "the arrays of all later steps. Compute with `ops`, and look at values in a callback "
            "or after `predict`."
        )
    if isinstance(value, KerasTensor):
        raise ValueError(
            "A KerasTensor is symbolic: it's a placeholder for a shape an a dtype. It doesn't have "
            "any actual numerical value. You cannot convert it to a NumPy array."
        )
    if hasattr(value, "__dlpack__") and not hasattr(value, "__array__"):
        value = np.from_dlpack(value)
    array = np.asarray(value)
    if array.dtype.kind not in "biufc":
        raise ValueError(
            f"Invalid dtype: {array.dtype.name}. Only numbers become tensors. Received: {value!r} "
            f"(of type {type(value)})"
        )
    name = dtype or NARROWER.get(array.dtype.name, array.dtype.name)
    if dtype is not None and array.dtype.name != dtype:
        from oxhorn.utils.dtypes import standardize_dtype

        name = standardize_dtype(dtype)
    # The order of bytes and where they begin may be foreign too.
    return np.require(array, dtype=name, requirements="CA")


def as_traced(value: Any, dtype: str | None = None) -> Any:
    """The value as a tensor of what is being traced."""
    from oxhorn._variables import Variable

    if isinstance(value, Variable):
        value = value.traced()
    elif not isinstance(value, Tensor):
        value = _native.constant(as_array(value, dtype))
    if dtype is not None and value.dtype != dtype:
        value = _native.apply_function("cast", "core", value, dtype)
    return value


def is_symbolic(value: Any) -> bool:
    """Whether it stands for an array that is not there yet."""
    return isinstance(value, (Tensor, KerasTensor))


def _call(name: str, *args: Any, family: str = "numpy", **kwargs: Any) -> Any:
    from oxhorn.ops.dispatch import call

    return call(name, family, *args, **kwargs)


class Operators:
    """The operators of arrays, for whatever stands for one."""

    def __add__(self, other: Any) -> Any:
        return _call("add", self, other)

    def __radd__(self, other: Any) -> Any:
        return _call("add", other, self)

    def __sub__(self, other: Any) -> Any:
        return _call("subtract", self, other)

    def __rsub__(self, other: Any) -> Any:
        return _call("subtract", other, self)

    def __mul__(self, other: Any) -> Any:
        return _call("multiply", self, other)

    def __rmul__(self, other: Any) -> Any:
        return _call("multiply", other, self)

    def __truediv__(self, other: Any) -> Any:
        return _call("true_divide", self, other)

    def __rtruediv__(self, other: Any) -> Any:
        return _call("true_divide", other, self)

    def __floordiv__(self, other: Any) -> Any:
        return _call("floor_divide", self, other)

    def __rfloordiv__(self, other: Any) -> Any:
        return _call("floor_divide", other, self)

    def __mod__(self, other: Any) -> Any:
        return _call("mod", self, other)

    def __rmod__(self, other: Any) -> Any:
        return _call("mod", other, self)

    def __pow__(self, other: Any) -> Any:
        return _call("power", self, other)

    def __rpow__(self, other: Any) -> Any:
        return _call("power", other, self)

    def __matmul__(self, other: Any) -> Any:
        return _call("matmul", self, other)

    def __rmatmul__(self, other: Any) -> Any:
        return _call("matmul", other, self)

    def __neg__(self) -> Any:
        return _call("negative", self)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return _call("absolute", self)

    def __invert__(self) -> Any:
        return _call("logical_not", self)

    def __and__(self, other: Any) -> Any:
        return _call("logical_and", self, other)

    def __rand__(self, other: Any) -> Any:
        return _call("logical_and", other, self)

    def __or__(self, other: Any) -> Any:
        return _call("logical_or", self, other)

    def __ror__(self, other: Any) -> Any:
        return _call("logical_or", other, self)

    def __xor__(self, other: Any) -> Any:
        return _call("logical_xor", self, other)

    def __rxor__(self, other: Any) -> Any:
        return _call("logical_xor", other, self)

    def __lt__(self, other: Any) -> Any:
        return _call("less", self, other)

    def __le__(self, other: Any) -> Any:
        return _call("less_equal", self, other)

    def __gt__(self, other: Any) -> Any:
        return _call("greater", self, other)

    def __ge__(self, other: Any) -> Any:
        return _call("greater_equal", self, other)

    def __ne__(self, other: Any) -> Any:
        return _call("not_equal", self, other)

    def __getitem__(self, key: Any) -> Any:
        from oxhorn.ops.indexing import get_item

        return get_item(self, key)

    # NumPy leaves the work to us, even where its array stands on the left.
    __array_priority__ = 1000
    __array_ufunc__ = None


def _equal(self: Any, other: Any) -> Any:
    return _call("equal", self, other)


def _no_truth(self: Any) -> bool:
    raise TypeError(
        f"The truth of a tensor of shape {self.shape} cannot be asked for while a model is traced: "
        "Python's `if`, `while`, `and`, `or` and `not` are decided once, and the tensor has "
        "another value in each step. Use `ops.where(condition, a, b)` or `ops.cond`, and "
        "`ops.logical_and` for `and`."
    )


def _no_number(self: Any) -> Any:
    raise TypeError(
        f"A tensor of shape {self.shape} has no value while a model is traced, so it cannot become "
        "a Python number. Compute with `ops` instead; what depends on values belongs in a callback."
    )


def _no_array(self: Any, dtype: Any = None, copy: Any = None) -> np.ndarray:
    return as_array(self)


def _iterate(self: Any) -> Any:
    if not self.shape or self.shape[0] is None:
        raise TypeError(f"A tensor of shape {self.shape} cannot be iterated over.")
    return (self[i] for i in range(self.shape[0]))


def _length(self: Any) -> int:
    if not self.shape or self.shape[0] is None:
        raise TypeError(f"A tensor of shape {self.shape} has no length.")
    return self.shape[0]


def _show(self: Any) -> str:
    return f"<Tensor shape={self.shape}, dtype={self.dtype}>"


class KerasTensor(Operators):
    """A placeholder for the arrays that a functional model will be called on.

    Args:
        shape: the extent of each axis, `None` where it is open.
        dtype: the type of the elements.
        record_history: whether the operation that gives it is kept.
        name: its name.
    """

    def __init__(
        self,
        shape: Any,
        dtype: str = "float32",
        sparse: bool = False,
        ragged: bool = False,
        record_history: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        from oxhorn._naming import auto_name

        if sparse or ragged or kwargs:
            raise ValueError(
                "Sparse and ragged tensors are not supported. "
                f"Received: sparse={sparse}, ragged={ragged}, {kwargs}"
            )
        self._shape = tuple(shape)
        self._dtype = dtype
        self.name = name or auto_name("keras_tensor")
        self.record_history = record_history
        self._keras_history: Any = None
        # Which positions count, if not all do: `True` where one does.
        self._keras_mask: Any = None

    @property
    def shape(self) -> tuple[int | None, ...]:
        return self._shape

    @property
    def dtype(self) -> str:
        return self._dtype

    @property
    def ndim(self) -> int:
        return len(self._shape)

    @property
    def sparse(self) -> bool:
        return False

    @property
    def ragged(self) -> bool:
        return False

    def reshape(self, newshape: Any) -> Any:
        return _call("reshape", self, newshape)

    def squeeze(self, axis: Any = None) -> Any:
        return _call("squeeze", self, axis=axis)

    def __repr__(self) -> str:
        kind = "sparse=False, ragged=False"
        return f"<KerasTensor shape={self.shape}, dtype={self.dtype}, {kind}, name={self.name}>"

    def __bool__(self) -> bool:
        raise TypeError("A symbolic KerasTensor cannot be used as a boolean.")

    __hash__ = object.__hash__
    __eq__ = object.__eq__
    __array__ = _no_array
    __float__ = _no_number
    __int__ = _no_number
    __index__ = _no_number
    __iter__ = _iterate
    __len__ = _length


def _install() -> None:
    """Gives the native tensor its operators."""
    for name, operator in vars(Operators).items():
        if name.startswith("__") and name not in ("__module__", "__doc__", "__dict__"):
            if name != "__weakref__" and not name.startswith("__qual"):
                setattr(Tensor, name, operator)
    more = {
        "__eq__": _equal,
        "__hash__": object.__hash__,
        "__bool__": _no_truth,
        "__float__": _no_number,
        "__int__": _no_number,
        "__index__": _no_number,
        "__array__": _no_array,
        "__iter__": _iterate,
        "__len__": _length,
        "__repr__": _show,
        "_keras_mask": None,
    }
    for name, operator in more.items():
        setattr(Tensor, name, operator)


_install()
