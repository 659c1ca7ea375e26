"""Functions of `ops` that take Python functions or look at values: they cannot be Rust's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from oxhorn import _native, tree
from oxhorn._tensor import KerasTensor, Tensor, as_array, as_traced, is_symbolic
from oxhorn._variables import Variable
from oxhorn.ops.dispatch import call


def convert_to_tensor(x: Any, dtype: Any = None, sparse: Any = None, ragged: Any = None) -> Any:
    """The value as an array, or while a model is traced as a tensor."""
    if sparse or ragged:
        raise ValueError(
            "Sparse and ragged tensors are not supported. "
            f"Received: sparse={sparse}, ragged={ragged}"
        )
    name = None if dtype is None else np.dtype(dtype).name if not isinstance(dtype, str) else dtype
    if isinstance(x, KerasTensor):
        return x if name in (None, x.dtype) else call("cast", "core", x, name)
    if _native.tracing() or isinstance(x, Tensor):
        return as_traced(x, name)
    return as_array(x.value if isinstance(x, Variable) else x, name)


def convert_to_numpy(x: Any) -> np.ndarray:
    """The value as a NumPy array."""
    return as_array(x)


def is_tensor(x: Any) -> bool:
    """Whether this is an array or stands for one."""
    return is_symbolic(x) or isinstance(x, np.ndarray)


def shape(x: Any) -> tuple[int | None, ...]:
    """The extent of each axis."""
    return tuple(x.shape) if hasattr(x, "shape") else np.shape(x)


def ndim(x: Any) -> int:
    """The number of axes."""
    return len(shape(x))


def dtype(x: Any) -> str:
    """The name of the elements' type."""
    return str(x.dtype) if hasattr(x, "dtype") else as_array(x).dtype.name


def cond(pred: Any, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """What `true_fn` gives where `pred` holds, else what `false_fn` gives.

    Of a tensor, both are written down, and each step takes the one of its value.
    """
    if not is_symbolic(pred):
        return true_fn() if bool(np.asarray(pred)) else false_fn()
    if_true, if_false = true_fn(), false_fn()
    return tree.map_structure(lambda a, b: call("where", "numpy", pred, a, b), if_true, if_false)


def switch(index: Any, branches: Sequence[Callable[..., Any]], *operands: Any) -> Any:
    """What the branch of this index gives; an index outside takes the nearest branch."""
    last = len(branches) - 1
    if not is_symbolic(index):
        return branches[min(max(int(index), 0), last)](*operands)
    chosen = branches[last](*operands)
    for i in range(last - 1, -1, -1):
        here = branches[i](*operands)
        is_it = call("less_equal", "numpy", index, i)
        chosen = tree.map_structure(
            lambda a, b, is_it=is_it: call("where", "numpy", is_it, a, b), here, chosen
        )
    return chosen


def fori_loop(lower: int, upper: int, body_fun: Callable[[int, Any], Any], init_val: Any) -> Any:
    """`body_fun(i, value)` again and again; it is written down once for each `i`."""
    if is_symbolic(lower) or is_symbolic(upper):
        raise ValueError(
            "`fori_loop` needs bounds that are numbers: it is written down once for each step."
        )
    value = init_val
    for i in range(int(lower), int(upper)):
        value = body_fun(i, value)
    return value


def while_loop(
    cond: Callable[..., Any],
    body: Callable[..., Any],
    loop_vars: Any,
    maximum_iterations: int | None = None,
) -> Any:
    """`body` again and again as long as `cond` holds, on arrays only."""
    single = not isinstance(loop_vars, (list, tuple))
    values = (loop_vars,) if single else tuple(loop_vars)
    if any(is_symbolic(x) for x in tree.flatten(values)):
        raise NotImplementedError(
            "`ops.while_loop` on tensors is not supported: how often it runs would depend on "
            "values. Use `ops.fori_loop` with a number of steps, and `ops.where` inside."
        )
    count = 0
    while (maximum_iterations is None or count < maximum_iterations) and bool(cond(*values)):
        result = body(*values)
        values = (result,) if not isinstance(result, (list, tuple)) else tuple(result)
        count += 1
    return values[0] if single else values


def map(f: Callable[[Any], Any], xs: Any) -> Any:
    """`f` on each element along the first axis, stacked."""
    count = tree.flatten(xs)[0].shape[0]
    results = [f(tree.map_structure(lambda x, i=i: x[i], xs)) for i in range(count)]
    return tree.map_structure(lambda *each: call("stack", "numpy", list(each)), *results)


def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    """`function` on each element along the first axis, stacked."""
    return map(function, elements)


def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
    unroll: int = 1,
) -> tuple[Any, Any]:
    """`carry, y = f(carry, x)` along the first axis; the last carry, and all `y` stacked."""
    if xs is None and length is None:
        raise ValueError("Got no `xs` to scan over and `length` not provided.")
    count = length if xs is None else tree.flatten(xs)[0].shape[0]
    carry, ys = init, []
    for i in reversed(range(count)) if reverse else range(count):
        x = None if xs is None else tree.map_structure(lambda x, i=i: x[i], xs)
        carry, y = f(carry, x)
        ys.append(y)
    if reverse:
        ys.reverse()
    if not ys or ys[0] is None:
        return carry, None
    return carry, tree.map_structure(lambda *each: call("stack", "numpy", list(each)), *ys)
