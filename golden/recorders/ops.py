"""keras.ops and keras.random: every function that Oxhorn has, on arguments of several types, shapes and axes."""

import inspect
import warnings

import jax
import keras
import numpy as np

from .common import array, clear, made_up, normal, number, write

A = normal((2, 3), "ops A")
B = normal((2, 3), "ops B")
ROW = normal((5,), "ops row")
CUBE = normal((2, 3, 5), "ops cube")
TIES = np.array([[1.0, 3.0, 1.0, 2.0, 3.0, -1.0, 0.0], [0.0, 0.0, -0.0, 5.0, 5.0, 5.0, -2.0]], "float32")
EMPTY = np.zeros((0, 3), "float32")
HOLLOW = np.zeros((2, 0), "float32")
ONE = np.array([[0.7]], "float32")
POINT = np.float32(0.7)
SPECIAL = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1.0, -1.0, 0.5, -2.5, 1.5, 2.5], "float32")
GAPS = np.array([[1.0, np.nan, 3.0], [np.nan, np.nan, np.nan], [0.5, -2.0, np.nan]], "float32")
UNIT = np.array([-1.0, -0.9, -0.5, -0.01, 0.0, 1e-4, 0.3, 0.77, 1.0], "float32")
POSITIVE = np.array([1e-3, 0.1, 0.5, 1.0, 1.5, 2.0, 7.25, 100.0, 1e6], "float32")
I = np.array([[3, -1, 0], [7, 2, -5]], "int32")
J = np.array([[2, 2, -3], [-2, 5, 3]], "int32")
N = np.array([[5, 12, 7], [0, 255, 1]], "int32")
T = np.array([[True, False, True], [False, False, True]])
F = np.array([[False, False, True], [True, False, True]])


class Case:
    """A call: the arguments, by position and by name."""

    def __init__(self, *args, **kwargs):
        self.args, self.kwargs, self.tolerance = args, kwargs, None

    def within(self, tolerance):
        """How far from Keras is near: where rounding to float32 is amplified."""
        self.tolerance = tolerance
        return self


class Gives:
    """A function that gives this, whatever it is given."""

    def __init__(self, outcome):
        self.outcome = outcome


class Known(list):
    """A list that Keras takes as an array alone, and that graphs must know beforehand."""


def unary(*arrays):
    return [Case(x) for x in arrays]


def over_axes(x, *more, **kwargs):
    """A reduction: of everything, along axes from either end, and with the axes kept."""
    return [
        Case(x, **kwargs),
        Case(x, axis=0, **kwargs),
        Case(x, axis=-1, keepdims=True, **kwargs),
        Case(x, axis=(0, -1), **kwargs),
        Case(x, keepdims=True, **kwargs),
        *[Case(y, axis=-1, **kwargs) for y in more],
    ]


NUMBERS = unary(A, SPECIAL, I, T, EMPTY, POINT)
PAIRS = [
    Case(A, B),
    Case(A, ROW[:3]),
    Case(A[:, :1], B[0]),
    Case(A, 2),
    Case(1.5, A),
    Case(I, J),
    Case(I, A),
    Case(I, 2.5),
    Case(I, 3),
    Case(T, 2),
    Case(EMPTY, ROW[:3]),
    Case(A, [1.0, 2.0, 3.0]),
]


def encoded(v):
    """An argument or a result: tensors as in all files, everything else as JSON has it."""
    if isinstance(v, (list, tuple)):
        return [encoded(w) for w in v]
    if isinstance(v, slice):
        return ["slice", v.start, v.stop, v.step]
    if v is Ellipsis:
        return "..."
    if isinstance(v, Gives):
        return encoded(v.outcome)
    if isinstance(v, np.generic) and v.ndim == 0:
        return array(v)
    if hasattr(v, "shape") and hasattr(v, "dtype"):
        return array(v)
    if isinstance(v, float):
        return number(v)
    return v


def result(v):
    if hasattr(v, "shape") and hasattr(v, "dtype"):
        return {"one": array(v)}
    if isinstance(v, (list, tuple)) and v and all(hasattr(w, "shape") for w in v):
        return {"many": [array(w) for w in v]}
    return {"static": encoded(v)}


def live(v):
    """The argument as Keras takes it."""
    if isinstance(v, Known):
        return np.array(v)
    if isinstance(v, Gives):
        return lambda *operands: v.outcome
    if isinstance(v, list):
        return [live(w) for w in v]
    return v


def called(function, case):
    kwargs = {k: jax.numpy.asarray(v) if k == "seed" else live(v) for k, v in case.kwargs.items()}
    return function(*[live(v) for v in case.args], **kwargs)


def recorded(name, function, number, case):
    line = {
        "name": f"{name} {number}",
        "function": name,
        "args": [encoded(v) for v in case.args],
        "kwargs": {k: encoded(v) for k, v in case.kwargs.items()},
        "result": result(called(function, case)),
    }
    if case.tolerance:
        line["tolerance"] = case.tolerance
    return line


CORE = {
    "shape": unary(A, EMPTY, CUBE),
    "dtype": unary(A, I, T),
    "is_tensor": [Case(3.0)],
    "convert_to_tensor": [
        Case(A),
        Case(3),
        Case(2.5),
        Case(True),
        Case([1, 2]),
        Case([[1, 2.5], [3, 4]]),
        Case([True, False]),
        Case([1, 2], dtype="float32"),
        Case(A, dtype="int32"),
    ],
    "cast": [Case(A, "int32"), Case(I, "float32"), Case(I, "bool"), Case(T, "float32"), Case(A, "bool")],
    "unstack": [Case(A), Case(CUBE, axis=-2), Case(A, num=2), Case(A, 3, axis=1)],
}

NUMPY = {
    # Functions of one element.
    **{name: NUMBERS for name in ["abs", "absolute", "fabs", "square", "copy", "conj", "conjugate", "real", "imag"]},
    **{name: unary(A, SPECIAL, I, EMPTY, POINT) for name in ["negative", "sign", "trunc", "signbit"]},
    **{name: NUMBERS for name in ["exp", "exp2", "expm1", "ceil", "floor", "deg2rad", "rad2deg"]},
    **{name: NUMBERS for name in ["isnan", "isfinite", "isinf", "isposinf", "isneginf", "isreal"]},
    **{name: unary(POSITIVE, SPECIAL, I, T, EMPTY) for name in ["log", "log2", "log10", "log1p", "sqrt"]},
    "cbrt": unary(POSITIVE, A, I, EMPTY),
    "reciprocal": unary(A, I, EMPTY),
    "angle": unary(A, I),
    "round": [Case(SPECIAL), Case(A * 10), Case(A, 1), Case(A * 100, decimals=-1), Case(I), Case(I, 2)],
    "nan_to_num": [Case(SPECIAL), Case(SPECIAL, nan=7.0, posinf=1.0, neginf=-2.0), Case(I)],
    "clip": [Case(A, -0.5, 0.5), Case(I, 0, 3), Case(I, 0.5, 2.5), Case(A, B[0], 1.0), Case(T, 0, 1)],
    # Functions of two elements.
    **{name: PAIRS for name in ["add", "subtract", "multiply", "divide", "true_divide", "maximum", "minimum", "hypot"]},
    **{name: PAIRS for name in ["floor_divide", "mod", "fmod", "fmax", "fmin", "logaddexp", "logaddexp2"]},
    **{name: PAIRS for name in ["equal", "not_equal", "less", "less_equal", "greater", "greater_equal", "arctan2"]},
    **{name: PAIRS[:11] + [Case(T, F)] for name in ["logical_and", "logical_or", "logical_xor", "heaviside"]},
    "divide_no_nan": [Case(A, B), Case(I, J), Case(A, I), Case(A, 0), Case(I, 2)],
    "power": [
        Case(np.abs(A), B),
        Case(A, 2),
        Case(A, 3.0),
        Case(I, 2),
        Case(J, np.abs(I)),
        Case(2, np.abs(I)),
        Case(I, 2.0),
        Case(EMPTY, 2),
        Case(0.5, A),
    ],
    "ldexp": [Case(A, I), Case(ROW, 3), Case(2.5, I)],
    "gcd": [Case(N, np.abs(J)), Case(N, 6), Case(I, J), Case(np.array([1836311903, 46368], "int32"), 1134903170)],
    "lcm": [Case(N, np.abs(J)), Case(N, 6), Case(I, J)],
    **{name: [Case(N, np.abs(J)), Case(N, 6), Case(I, J), Case(T, F)] for name in ["bitwise_and", "bitwise_or", "bitwise_xor"]},
    **{name: unary(N, I, T) for name in ["bitwise_not", "bitwise_invert"]},
    **{
        name: [Case(N, 3), Case(I, np.abs(J))]
        for name in ["bitwise_left_shift", "left_shift", "bitwise_right_shift", "right_shift"]
    },
    **{name: unary(A, POINT, I, EMPTY) for name in ["sin", "cos", "tan", "sinh", "cosh", "tanh", "sinc"]},
    **{name: unary(UNIT, EMPTY) for name in ["arcsin", "arccos"]},
    "arctanh": unary(UNIT, I[:1, 2:]),
    "arctan": unary(A, SPECIAL, POSITIVE, -POSITIVE, I),
    "arcsinh": unary(A, POSITIVE, -POSITIVE, SPECIAL, I),
    "arccosh": unary(POSITIVE[3:], N + 1),
    # Choices.
    "logical_not": unary(A, I, T, EMPTY),
    "isclose": [
        Case(A, A + 1e-6),
        Case(SPECIAL, SPECIAL),
        Case(SPECIAL, SPECIAL, equal_nan=True),
        Case(SPECIAL, np.float32(np.inf)),
        Case(A, B, rtol=0.5, atol=0.3),
        Case(I, J),
    ],
    "allclose": [Case(A, A + 1e-6), Case(A, B), Case(A, B, 10.0), Case(SPECIAL, SPECIAL, equal_nan=True), Case(EMPTY, EMPTY)],
    "isin": [Case(I, [2, 7, -1]), Case(A, A[0]), Case(I, J, invert=True), Case(I, 2), Case(A, EMPTY)],
    "where": [Case(T, A, B), Case(T, A, 0), Case(T[:, :1], I, 2.5), Case(A > 0, 1.0, 0.0), Case(I, A[0], B), Case(T, 1, 2)],
    "select": [
        Case([A > 1, A > 0], [A, B]),
        Case([A > 1, A > 0], [A, B], 7.0),
        Case([T], [I], 3),
        Case([A[0] > 0], [B], default=1.5),
    ],
    # Reductions.
    **{name: over_axes(CUBE, I, A[:, :1]) for name in ["max", "min", "amax", "amin", "ptp"]},
    **{name: over_axes(CUBE, I, T, HOLLOW, EMPTY) for name in ["sum", "mean", "var", "std", "all", "any"]},
    "prod": over_axes(CUBE, I, T, HOLLOW) + [Case(I, dtype="float32")],
    "count_nonzero": [Case(I), Case(TIES, axis=1), Case(CUBE, axis=(0, -1)), Case(T, 0), Case(EMPTY, 0)],
    **{
        name: [
            Case(A),
            Case(CUBE, axis=1),
            Case(TIES, axis=-1),
            Case(I, 0),
            Case(CUBE, axis=-1, keepdims=True),
            Case(A, keepdims=True),
            Case(T, axis=-1),
            Case(GAPS, axis=1),
        ]
        for name in ["argmax", "argmin"]
    },
    "average": [
        Case(A),
        Case(CUBE, axis=1),
        Case(CUBE, axis=1, weights=A[0]),
        Case(A, weights=np.abs(B)),
        Case(I, axis=0, weights=[1.0, 3.0]),
        Case(I),
    ],
    **{
        name: over_axes(GAPS, A, I, SPECIAL[3:])
        for name in ["nansum", "nanprod", "nanmax", "nanmin", "nanmean", "nanvar", "nanstd"]
    },
    **{
        name: [
            Case(GAPS[::2]),
            Case(GAPS, axis=0),
            Case(GAPS, axis=-1),
            Case(GAPS, 1, keepdims=True),
            Case(GAPS, keepdims=True),
            Case(I, axis=1),
        ]
        for name in ["nanargmax", "nanargmin"]
    },
    **{
        name: [Case(A), Case(CUBE, axis=-1), Case(CUBE, axis=0), Case(I, axis=1), Case(T, 1), Case(A, 1, dtype="int32"), Case(EMPTY, 0)]
        for name in ["cumsum", "cumprod"]
    },
    **{name: [Case(GAPS), Case(GAPS, axis=1), Case(A, axis=0), Case(I, 1)] for name in ["nancumsum", "nancumprod"]},
    "diff": [Case(ROW), Case(CUBE, axis=1), Case(CUBE, 2), Case(I, axis=0), Case(T), Case(ROW, n=0)],
    "trapezoid": [Case(ROW), Case(CUBE, axis=1), Case(CUBE, dx=0.5), Case(A, A.cumsum(1)), Case(CUBE, ROW), Case(I, axis=0)],
    # Shapes.
    "ndim": unary(A, POINT, CUBE),
    "size": unary(A, EMPTY, CUBE),
    "reshape": [Case(A, (3, 2)), Case(A, (-1,)), Case(CUBE, (5, -1)), Case(EMPTY, (3, 0)), Case(A, -1), Case(T, (6, 1))],
    "ravel": unary(A, CUBE, EMPTY, POINT),
    "transpose": [Case(A), Case(CUBE), Case(CUBE, (1, 2, 0)), Case(CUBE, axes=(-1, 0, 1)), Case(ROW)],
    "swapaxes": [Case(CUBE, 0, -1), Case(A, 1, 0)],
    "moveaxis": [Case(CUBE, 0, -1), Case(CUBE, (0, 1), (-1, 0)), Case(CUBE, -1, 0)],
    "expand_dims": [Case(A, 0), Case(A, -1), Case(A, (0, 3)), Case(A, (-1, 0)), Case(POINT, 0)],
    "squeeze": [Case(ONE), Case(A[None], 0), Case(A[:, :1], axis=-1), Case(A[None, :, None], axis=(0, 2))],
    "broadcast_to": [Case(A, (4, 2, 3)), Case(POINT, (2, 2)), Case(ROW[:1], (0,)), Case(A[:, :1], (2, 5))],
    "flip": [Case(A), Case(A, axis=0), Case(CUBE, axis=(-1, 0)), Case(EMPTY), Case(T, 1)],
    "fliplr": unary(A, CUBE),
    "flipud": unary(A, ROW),
    "roll": [
        Case(A, 2),
        Case(A, 1, axis=0),
        Case(A, -4, axis=-1),
        Case(CUBE, (1, 2), axis=(0, 2)),
        Case(CUBE, 1, axis=(1, 2)),
        Case(EMPTY, 1),
    ],
    "rot90": [Case(A), Case(A, 2), Case(A, -1), Case(CUBE, 1, (1, 2)), Case(A, 4), Case(CUBE, k=3, axes=(0, 2))],
    "repeat": [Case(A, 2), Case(A, 3, axis=0), Case(A, Known([2, 0, 1]), axis=1), Case(A, 0, 1)],
    "tile": [Case(A, 2), Case(A, (2, 2)), Case(A, (2, 1, 3)), Case(ROW, [3]), Case(EMPTY, (2, 2)), Case(CUBE, (2, 1))],
    "pad": [
        Case(A, 1),
        Case(A, (1, 2)),
        Case(A, ((1, 0), (2, 3))),
        Case(A, ((1, 0), (2, 3)), constant_values=7.0),
        Case(I, 1, mode="constant", constant_values=3),
        Case(A, ((1, 1), (2, 2)), mode="reflect"),
        Case(A, ((2, 1), (3, 3)), mode="symmetric"),
        Case(A, 2, mode="edge"),
        Case(A, 3, mode="wrap"),
        Case(EMPTY, 1),
        Case(T, 1),
    ],
    # Joining and splitting.
    "stack": [Case([A, B]), Case([A, B], axis=-1), Case((I, A), 1), Case([1, 2.5]), Case([T, F], axis=2)],
    "concatenate": [
        Case([A, B]),
        Case([A, B], axis=-1),
        Case([I, A]),
        Case([A, EMPTY]),
        Case((T, F), 0),
        Case([A, ROW], axis=None),
    ],
    "append": [Case(A, B), Case(A, B, axis=0), Case(A, ROW), Case(I, A, axis=-1)],
    "vstack": [Case([A, B]), Case([ROW, ROW]), Case([A, ROW[:3]]), Case([POINT, POINT])],
    "hstack": [Case([A, B]), Case([ROW, ROW]), Case([CUBE, CUBE])],
    "dstack": [Case([A, B]), Case([ROW, ROW]), Case([CUBE, CUBE])],
    "split": [Case(A, 3, axis=1), Case(A, 2), Case(ROW, [1, 3]), Case(CUBE, [2, 3], axis=-1), Case(ROW, (3, 4))],
    "array_split": [Case(ROW, 2), Case(ROW, 3), Case(CUBE, 3, axis=2), Case(ROW[:2], 3)],
    "vsplit": [Case(A, 2), Case(A, [1])],
    "hsplit": [Case(A, 3), Case(ROW, 5), Case(CUBE, [1])],
    "dsplit": [Case(CUBE, 5), Case(CUBE, [2, 4])],
    "meshgrid": [Case(ROW, ROW[:3]), Case(ROW, ROW[:3], indexing="ij"), Case(ROW[:2], ROW[:3], ROW[:1]), Case(ROW)],
    # Out of nothing.
    "array": [Case(A), Case([1, 2, 3]), Case([[1.0, 2], [3, 4]]), Case(2, dtype="float32")],
    **{name: [Case((2, 3)), Case(()), Case((0, 2), dtype="int32"), Case(3, "bool")] for name in ["zeros", "ones"]},
    "empty": [Case((0, 2)), Case((0,), dtype="int32")],
    "full": [Case((2, 3), 2.5), Case((), 7, dtype="int32"), Case((2, 3), ROW[:3]), Case((2,), 3)],
    **{name: [Case(A), Case(I), Case(A, dtype="int32"), Case(T)] for name in ["zeros_like", "ones_like"]},
    "empty_like": [Case(EMPTY)],
    "full_like": [Case(A, 2), Case(I, 2), Case(A, 2, dtype="int32"), Case(A, ROW[:3])],
    "eye": [Case(3), Case(2, 4), Case(4, 3, k=1), Case(3, k=-1, dtype="int32"), Case(0)],
    "tri": [Case(3), Case(2, 4), Case(4, 3, k=1), Case(3, k=-1, dtype="int32")],
    "identity": [Case(3), Case(2, dtype="bool")],
    "arange": [
        Case(5),
        Case(2, 7),
        Case(2, 9, 3),
        Case(0.0, 1.0, 0.25),
        Case(5, 0, -2),
        Case(3, dtype="float32"),
        Case(0),
        Case(1.5, 4),
        Case(0, 5, 2, "int32"),
    ],
    "linspace": [
        Case(0, 1, 5),
        Case(0.0, 2.0, num=4, endpoint=False),
        Case(A, B, 3),
        Case(A, B, 3, axis=-1),
        Case(1, 5, 5, dtype="int32"),
        Case(0, 1, 1),
        Case(0.0, 3.0, 4, retstep=True),
        Case(-3, 3),
        Case(0, 10, 4, dtype="int32"),
    ],
    "logspace": [Case(0, 2, 5), Case(0.0, 2.0, num=4, base=2, endpoint=False), Case(A, B, 3)],
    "geomspace": [Case(1, 100, 3), Case(1.0, 8.0, num=4, endpoint=False), Case(-2.0, -16.0, 4)],
    **{name: [Case(7), Case(1), Case(2), Case(12)] for name in ["bartlett", "blackman", "hamming", "hanning"]},
    "vander": [Case(ROW), Case(ROW, 3), Case(I[0], increasing=True), Case(ROW, N=2, increasing=True)],
}

MATH = {
    "erf": unary(A, SPECIAL, EMPTY),
    "erfc": unary(A, POINT),
    "erfinv": unary(UNIT, EMPTY),
    "rsqrt": unary(POSITIVE, EMPTY),
    "logsumexp": over_axes(CUBE, I, np.array([[np.inf, 1.0], [-np.inf, -np.inf]], "float32")),
}

NN = {
    "moments": [
        Case(A, axes=0),
        Case(CUBE, (0, 2)),
        Case(CUBE, [1], keepdims=True),
        Case(A, (0, 1)),
    ],
}

CORE |= {
    "cond": [
        Case(np.bool_(True), Gives(A), Gives(B)),
        Case(np.bool_(False), Gives(A), Gives(B)),
        Case(np.bool_(False), Gives([A, I]), Gives([B, J])),
    ],
    "switch": [
        Case(np.int32(1), [Gives(A), Gives(B), Gives(A + B)], A),
        Case(np.int32(7), [Gives(A), Gives(B)]),
        Case(np.int32(-3), [Gives(A), Gives(B)]),
    ],
    "slice": [
        Case(A, [0, 1], [2, 2]),
        Case(CUBE, (1, 0, 2), (1, -1, -1)),
        Case(A, [1, 2], [2, 2]),
        Case(CUBE, np.array([1, 1, 1], "int32"), (1, 2, 3)),
        Case(ROW, [1], [0]),
    ],
    "slice_update": [
        Case(A, [0, 1], B[:, :2]),
        Case(CUBE, (1, 0, 2), CUBE[:1, :2, :3]),
        Case(A, np.array([1, 2], "int32"), ONE),
        Case(I, [0, 0], J),
    ],
    "stop_gradient": unary(A, I, SPECIAL, np.array([1e-45, 3e38, -1e-38], "float32")),
    "saturate_cast": [Case(np.array([1e10, -1e10, 3.7], "float32"), "int32"), Case(A, "float32"), Case(I, "bool")],
    "scatter": [
        Case(np.array([[0, 1], [1, 2]], "int32"), ROW[:2], (2, 3)),
        Case(np.array([[1], [3], [1]], "int32"), normal((3, 2), "scatter"), (4, 2)),
        Case(np.array([[0], [2]], "int32"), I[0, :2], (4,)),
    ],
    "scatter_update": [
        Case(A, np.array([[0, 1], [1, 2]], "int32"), ROW[:2]),
        Case(A, [[0, 0], [1, -1]], [7.0, 8.0]),
        Case(normal((4, 2), "scatter into"), np.array([[1], [3], [1]], "int32"), normal((3, 2), "scatter")),
        *[
            Case(ROW, np.array([[1], [3], [1]], "int32"), A[0], reduction=reduction)
            for reduction in ["add", "max", "min", "mul"]
        ],
        Case(I, np.array([[0, 1]], "int32"), np.array([100], "int32")),
        Case(ROW, np.array([[4], [4], [4], [0], [4]], "int32"), ROW * 2),
    ],
}

NUMPY |= {
    "take": [
        Case(A, np.array([2, 0], "int32"), axis=1),
        Case(A, np.array([[2, 0], [5, -1]], "int32")),
        Case(CUBE, [1, 0, 1], axis=-1),
        Case(A, 1, axis=0),
        Case(A, np.zeros((0,), "int32"), axis=0),
        Case(I, -1, axis=1),
    ],
    "take_along_axis": [
        Case(A, np.array([[2, 0], [1, -1]], "int32"), axis=1),
        Case(CUBE, np.array([[[0], [2], [1]]], "int32"), axis=2),
        Case(A, np.array([5, 0], "int32")),
        Case(A, np.array([[1, 0, 1]], "int32"), axis=0),
    ],
    "get_item": [
        Case(A, 1),
        Case(A, (0, -1)),
        Case(A, slice(0, 1)),
        Case(CUBE, (slice(None), -1, slice(1, None, 2))),
        Case(CUBE, (Ellipsis, 0)),
        Case(CUBE, (None, 1, Ellipsis, None)),
        Case(ROW, slice(None, None, -1)),
        Case(ROW, slice(3, 0, -2)),
        Case(ROW, slice(-3, None)),
        Case(ROW, slice(4, 2)),
        Case(CUBE, np.array([1, 0, -1], "int32")),
        Case(CUBE, (slice(None), np.array([2, 0], "int32"))),
    ],
    "diag": [Case(ROW), Case(ROW, 1), Case(ROW, k=-2), Case(A), Case(A, 1), Case(A, k=-1), Case(I), Case(A, 5)],
    "diagflat": [Case(A), Case(ROW, k=-1), Case(I, 1)],
    "diagonal": [Case(A), Case(CUBE), Case(CUBE, 1), Case(CUBE, offset=-1, axis1=1, axis2=2), Case(CUBE, 0, 2, 0)],
    "trace": [Case(A), Case(CUBE, 1), Case(CUBE, offset=-1, axis1=1, axis2=2), Case(I), Case(T)],
    **{name: [Case(A), Case(CUBE, 1), Case(CUBE, k=-1), Case(I), Case(T), Case(A, 9)] for name in ["tril", "triu"]},
    "searchsorted": [
        Case(np.array([0.0, 1.0, 1.0, 2.0], "float32"), TIES),
        Case(np.array([0.0, 1.0, 1.0, 2.0], "float32"), TIES, side="right"),
        Case(np.array([1, 5, 9], "int32"), I[0]),
    ],
    "digitize": [Case(A, np.array([-1.0, 0.0, 1.0], "float32")), Case(TIES, [0.0, 2.0]), Case(I, np.array([0, 3], "int32"))],
    "histogram": [Case(ROW), Case(TIES[0], 3), Case(ROW, bins=4, range=(-1.0, 1.0)), Case(np.ones(3, "float32"), 2)],
    "unravel_index": [Case(np.array([0, 5, 3], "int32"), (2, 3)), Case(np.array([[7, 11]], "int32"), (2, 3, 2))],
    "einsum": [
        Case("ij,kj->ik", A, B),
        Case("ij->ji", A),
        Case("ij->", A),
        Case("ij", A),
        Case("ba", A),
        Case("ii->i", A[:, :2]),
        Case("ii", A[:, :2]),
        Case("bij,bkj->bik", CUBE, CUBE),
        Case("...ij,...kj->...ik", CUBE, CUBE),
        Case("...j,kj->...k", CUBE, normal((4, 5), "einsum")),
        Case("i,j->ij", ROW, A[0]),
        Case("i,i", ROW, ROW),
        Case("ij,jk,kl->il", A, normal((3, 5), "einsum b"), normal((5, 2), "einsum c")),
        Case("bi,bi->b", A, B),
        Case("ij,kj->ik", I, J),
        Case("bhqd, bkd -> bhqk", normal((2, 2, 3, 4), "einsum q"), normal((2, 5, 4), "einsum k")),
        Case("ij,ij->j", A, B[:1]),
        Case("ij,k->k", A, ROW),
    ],
    "matmul": [
        Case(A, B.T),
        Case(CUBE, normal((5, 4), "matmul")),
        Case(CUBE, normal((2, 5, 4), "matmul")),
        Case(ROW, ROW),
        Case(A, A[0]),
        Case(A[:, 0], A),
        Case(normal((3, 1, 2, 3), "matmul"), normal((4, 3, 2), "matmul")),
        Case(I, J.T),
        Case(I, B.T),
        Case(EMPTY, B.T),
        Case(HOLLOW, HOLLOW.T),
    ],
    "dot": [Case(A, B.T), Case(ROW, ROW), Case(CUBE, normal((4, 5, 3), "dot")), Case(A, 2.0), Case(I, J.T), Case(A, A[0])],
    "vdot": [Case(A, B), Case(I, J), Case(ROW, ROW)],
    "inner": [Case(A, B), Case(ROW, ROW), Case(CUBE, ROW), Case(2, A), Case(I, J)],
    "outer": [Case(ROW, A), Case(I, J), Case(2.0, ROW), Case(I, ROW)],
    "tensordot": [
        Case(CUBE, CUBE, 3),
        Case(A, B.T, 1),
        Case(A, B, axes=0),
        Case(CUBE, normal((5, 3, 4), "tensordot"), axes=[[1, 2], [1, 0]]),
        Case(CUBE, A, axes=[1, 1]),
        Case(I, J, 2),
    ],
    "kron": [Case(A, B), Case(ROW, A), Case(I, J), Case(ROW[:2], ROW[:3])],
    "cross": [
        Case(A, B),
        Case(A[:, :2], B[:, :2]),
        Case(A[:, :2], B),
        Case(A.T, B.T, axis=0),
        Case(I, J),
        Case(A.T, B, axisa=0, axisc=0),
    ],
    "corrcoef": [Case(A), Case(CUBE[0]), Case(ROW), Case(I)],
    "correlate": [
        *[Case(ROW, A[0], mode=mode) for mode in ["valid", "same", "full"]],
        *[Case(A[0], ROW, mode=mode) for mode in ["valid", "same", "full"]],
        Case(ROW, ROW[:2], mode="same"),
        Case(I[0], J[0], "full"),
    ],
    **{
        name: [Case(A), Case(TIES), Case(CUBE, axis=1), Case(TIES, axis=None), Case(I, axis=0), Case(GAPS), Case(T, 1), Case(EMPTY, 0)]
        for name in ["sort", "argsort"]
    },
    **{name: over_axes(CUBE, I, GAPS) for name in ["median", "nanmedian"]},
    **{
        name: [
            *over_axes(CUBE, I, GAPS, q=scale * 0.3),
            Case(CUBE, [0.0, scale * 0.5, scale * 0.9], axis=1),
            Case(A, np.array([scale * 0.25], "float32"), axis=(0, 1), keepdims=True),
            *[
                Case(CUBE, scale * 0.35, -1, method=method)
                for method in ["linear", "lower", "higher", "midpoint", "nearest"]
            ],
        ]
        for name, scale in [("quantile", 1), ("nanquantile", 1), ("percentile", 100), ("nanpercentile", 100)]
    },
}
MATH |= {
    "in_top_k": [
        Case(np.array([0, 2], "int32"), A, 1),
        Case(np.array([0, 2], "int32"), A, k=2),
        Case(np.array([1, 0], "int32"), TIES, 3),
        Case(np.array([1, 1, 0], "int32"), GAPS, 2),
    ],
    **{
        name: [
            Case(A, np.array([1, 0], "int32"), num_segments=3),
            Case(ROW, np.array([0, 0, 2, 7, 2], "int32"), 3),
            Case(CUBE, np.array([1, 1], "int32"), 2),
            Case(I, np.array([0, 0], "int32"), num_segments=1, sorted=True),
        ]
        for name in ["segment_sum", "segment_max", "segment_min", "segment_prod"]
    },
    "cdist": [Case(A, B), Case(CUBE, CUBE), Case(A, EMPTY)],
    "top_k": [Case(A, 2), Case(TIES, 4), Case(CUBE, k=5), Case(I, 1), Case(TIES, 3, sorted=True)],
}
LINALG = {
    "norm": [
        Case(ROW),
        Case(A),
        Case(CUBE),
        Case(A, axis=1),
        Case(A, "fro"),
        Case(CUBE, axis=(0, 2), keepdims=True),
        *[Case(A, ord, axis=-1) for ord in [0, 1, 2, 3, 2.5, np.inf, -np.inf, -1]],
        *[Case(CUBE, ord, axis=(1, 2)) for ord in [1, -1, np.inf, -np.inf]],
        Case(CUBE, 1, (2, 1), keepdims=True),
        Case(I),
        Case(A, keepdims=True),
    ],
}
NN |= {
    "one_hot": [
        Case(np.array([0, 2, 5], "int32"), 4),
        Case(np.array([[0, 2], [1, -1]], "int32"), 3),
        Case(np.array([[0, 2], [1, 1]], "int32"), 3, axis=0),
        Case(np.array([0, 2], "int32"), 3, axis=1, dtype="int32"),
        Case([1, 0], 2, dtype="bool"),
    ],
    "multi_hot": [
        Case(np.array([0, 2, 5], "int32"), 4),
        Case(np.array([[0, 2], [1, 1]], "int32"), 3),
        Case(np.array([[0, 2], [1, 1]], "int32"), num_classes=3, axis=-1, dtype="int32"),
    ],
}

IMAGE = normal((2, 5, 6, 4), "ops image")
SERIES = normal((2, 7, 3), "ops series")
NN |= {
    **{
        name: unary(A, SPECIAL, EMPTY)
        for name in "celu elu gelu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu log_sigmoid relu relu6 "
        "selu sigmoid silu swish soft_shrink softplus softsign sparse_plus sparse_sigmoid squareplus tanh_shrink".split()
    },
    "glu": [Case(normal((2, 4), "glu")), Case(A, axis=0)],
    **{name: [Case(A), Case(CUBE, axis=1), Case(CUBE, axis=(0, 2)), Case(A, None)] for name in ["softmax", "log_softmax"]},
    "sparsemax": [Case(A), Case(CUBE, axis=1)],
    "threshold": [Case(A, 0.5, -2.0), Case(A, threshold=-1.0, default_value=7.0)],
    "batch_normalization": [
        Case(A, ROW[:3], np.abs(ROW[:3]), -1),
        Case(CUBE, A[0], np.abs(B[0]), axis=1, offset=B[1], scale=A[1]),
        Case(CUBE, ROW, np.abs(ROW), 2, scale=ROW, epsilon=0.1),
    ],
    "layer_normalization": [
        Case(A),
        Case(CUBE, ROW, ROW * 2),
        Case(CUBE, gamma=A[0], axis=1),
        Case(CUBE, axis=(1, 2), epsilon=0.1),
        Case(CUBE, CUBE[0], CUBE[1], axis=[1, 2]),
    ],
    "rms_normalization": [Case(A), Case(CUBE, ROW), Case(CUBE, axis=(1, 2), epsilon=0.1), Case(CUBE, axis=0)],
    "normalize": [Case(A), Case(CUBE, axis=1), Case(A, order=1), Case(A, axis=0, order=3), Case(A * 0.0), Case(A, epsilon=10.0)],
    "dot_product_attention": [
        *[
            Case(
                normal((2, 3, 4, 5), "query"),
                normal((2, 6, heads, 5), "key"),
                normal((2, 6, heads, 5), "value"),
                **kwargs,
            )
            for heads, kwargs in [
                (4, {}),
                (4, {"is_causal": True}),
                (4, {"scale": 0.3}),
                (4, {"bias": normal((1, 4, 3, 6), "bias")}),
                (4, {"mask": normal((2, 1, 3, 6), "mask") > 0}),
            ]
        ],
    ],
    "psnr": [Case(A, B, 1.0), Case(A, B, max_val=255.0)],
    "binary_crossentropy": [
        Case((B > 0).astype("float32"), np.clip(np.abs(A) / 2, 0, 1)),
        Case((B > 0).astype("float32"), A, from_logits=True),
        Case((B > 0).astype("float32"), np.array([0.0, 1.0, 0.5], "float32") * np.ones((2, 1), "float32")),
    ],
    "categorical_crossentropy": [
        Case(np.eye(3, dtype="float32")[:2], np.abs(A)),
        Case(np.eye(3, dtype="float32")[:2], A, from_logits=True),
        Case(np.abs(A), np.abs(B), axis=0),
    ],
    "sparse_categorical_crossentropy": [
        Case(np.array([0, 2], "int32"), np.abs(A)),
        Case(np.array([[0], [2]], "int32"), A, from_logits=True),
        Case(np.array([[0, 1, 2], [2, 4, 0]], "int32"), CUBE, True, -1),
    ],
    "depth_to_space": [Case(IMAGE, 2), Case(IMAGE.transpose(0, 3, 1, 2), 2, data_format="channels_first")],
    "space_to_depth": [
        Case(IMAGE[:, :4], 2),
        Case(IMAGE[:, :4].transpose(0, 3, 1, 2), 2, data_format="channels_first"),
    ],
    "unfold": [Case(IMAGE, 2), Case(IMAGE, (2, 3), padding=1, stride=2), Case(IMAGE, 2, 2, (1, 0), (1, 2))],
    "conv": [
        Case(SERIES, normal((3, 3, 2), "conv")),
        Case(SERIES, normal((2, 3, 2), "conv"), 2, "same"),
        Case(IMAGE, normal((3, 2, 4, 5), "conv")),
        Case(IMAGE, normal((3, 3, 4, 5), "conv"), strides=2, padding="same"),
        Case(IMAGE, normal((2, 2, 4, 3), "conv"), (1, 2), "valid", "channels_last", 2),
        Case(IMAGE, normal((2, 2, 2, 6), "conv groups"), padding="same"),
        Case(IMAGE.transpose(0, 3, 1, 2), normal((3, 2, 4, 5), "conv"), data_format="channels_first"),
        Case(normal((1, 3, 4, 3, 2), "volume"), normal((2, 2, 2, 2, 3), "conv 3d"), padding="same"),
    ],
    "conv_transpose": [
        Case(SERIES, normal((3, 2, 3), "conv transpose")),
        Case(SERIES, normal((2, 4, 3), "conv transpose"), 3, "valid"),
        Case(SERIES, normal((3, 2, 3), "conv transpose"), 2, "same"),
        Case(SERIES, normal((4, 2, 3), "conv transpose"), 2, padding="same", output_padding=1),
        Case(IMAGE, normal((2, 3, 5, 4), "conv transpose"), 2, "same"),
        Case(IMAGE, normal((3, 2, 1, 4), "conv transpose"), padding="valid", dilation_rate=2),
        Case(IMAGE, normal((2, 2, 2, 4), "conv transpose"), (2, 3), "valid", 1),
        Case(IMAGE.transpose(0, 3, 1, 2), normal((3, 3, 2, 4), "conv transpose"), 2, "same", data_format="channels_first"),
    ],
    "depthwise_conv": [
        Case(SERIES, normal((3, 3, 2), "depthwise")),
        Case(IMAGE, normal((3, 2, 4, 1), "depthwise"), strides=2, padding="same"),
        Case(IMAGE, normal((2, 2, 4, 3), "depthwise"), dilation_rate=2),
    ],
    "separable_conv": [
        Case(SERIES, normal((3, 3, 2), "depthwise"), normal((1, 6, 4), "pointwise")),
        Case(IMAGE, normal((3, 2, 4, 1), "depthwise"), normal((1, 1, 4, 3), "pointwise"), 2, "same"),
    ],
    **{
        name: [
            Case(SERIES, 2, 2),
            Case(SERIES, 3, 1, "same"),
            Case(IMAGE, (2, 3), (2, 3)),
            Case(IMAGE, 2, strides=2, padding="same"),
            Case(IMAGE.transpose(0, 3, 1, 2), 2, 1, data_format="channels_first"),
        ]
        for name in ["max_pool", "average_pool"]
    },
}
SQUARE = normal((4, 4), "ops square")
SQUARES = normal((2, 3, 3), "ops squares")
DEFINITE = (SQUARES @ SQUARES.transpose(0, 2, 1) + np.eye(3, dtype="float32")).astype("float32")
LINALG |= {
    "cholesky": [Case(DEFINITE), Case(DEFINITE[0], upper=True), Case(ONE)],
    "cholesky_inverse": [
        Case(np.linalg.cholesky(DEFINITE)[0]),
        Case(np.linalg.cholesky(DEFINITE)[1].T, upper=True),
    ],
    "det": unary(SQUARE, SQUARES, ONE, np.eye(5, dtype="float32")[[2, 0, 1, 4, 3]]),
    "inv": [Case(SQUARE).within(1e-4), Case(SQUARES).within(1e-4), Case(ONE), Case(SQUARE[::-1] * 100).within(1e-4)],
    "solve": [
        Case(SQUARE, SQUARE[0]).within(1e-4),
        Case(SQUARES, SQUARES[:, :, :2]).within(1e-4),
        Case(np.array([[0.0, 2.0], [3.0, 0.0]], "float32"), ROW[:2]),
    ],
    "solve_triangular": [
        Case(SQUARE, SQUARE[0]).within(1e-4),
        Case(SQUARES, SQUARES[:, :, :2], lower=True).within(1e-4),
    ],
}
MATH["logdet"] = unary(DEFINITE, DEFINITE[0])
NUMPY["slogdet"] = unary(SQUARE, SQUARES, -ONE)
MATH |= {
    "fft": [Case((A, B)), Case((CUBE, CUBE * 2)), Case((ROW[:1], ROW[:1]))],
    **{name: [Case((A, B)), Case((CUBE, CUBE * 2))] for name in ["fft2", "ifft2"]},
    "rfft": [Case(ROW), Case(CUBE), Case(A, 4), Case(A, fft_length=2), Case(A, 1)],
    "irfft": [Case((A, B)), Case((CUBE, CUBE * 2), 7), Case((A, B), fft_length=3), Case((A, B), 8)],
}
MATH["extract_sequences"] = [Case(ROW, 2, 1), Case(CUBE, 3, 2), Case(A, 3, 5)]


def key(seed, counter=0):
    """The state of a seed generator, which keras.random on JAX takes for a seed as it is."""
    return np.array([seed, counter], "uint32")


KEYS = [key(812), key(0), key(999_999_999, 7)]
LOGITS = normal((3, 5), "ops logits")
RANDOM = {
    "uniform": [
        *[Case((3, 5), seed=k) for k in KEYS],
        Case((7,), -0.5, 2.0, seed=KEYS[0]),
        Case((), minval=3.0, maxval=3.0, seed=KEYS[0]),
        Case((0, 2), seed=KEYS[0]),
    ],
    **{
        name: [
            *[Case((3, 5), seed=k) for k in KEYS],
            Case((101,), -2.0, 0.5, seed=KEYS[0]),
            Case((2, 2), mean=1.0, stddev=3.0, dtype="float32", seed=KEYS[1]),
        ]
        for name in ["normal", "truncated_normal"]
    },
    "randint": [
        *[Case((3, 5), 0, 10, seed=k) for k in KEYS],
        Case((7,), -5, 1000, seed=KEYS[0]),
        Case((7,), minval=0, maxval=2**31 - 1, seed=KEYS[2]),
        Case((2,), 3, 3, seed=KEYS[0]),
    ],
    "categorical": [*[Case(LOGITS, 4, seed=k) for k in KEYS], Case(LOGITS * 3, num_samples=11, seed=KEYS[0])],
    "dropout": [
        *[Case(A, 0.4, seed=k) for k in KEYS],
        Case(CUBE, 0.5, noise_shape=(2, 1, 5), seed=KEYS[0]),
        Case(CUBE, 0.9, (None, None, 1), seed=KEYS[0]),
        Case(A, 0.0, seed=KEYS[0]),
        Case(A, 1.0, seed=KEYS[0]),
    ],
    "shuffle": [
        *[Case(np.arange(13, dtype="int32"), seed=k) for k in KEYS],
        Case(CUBE, seed=KEYS[0]),
        Case(CUBE, axis=-1, seed=KEYS[0]),
        Case(ROW[:1], seed=KEYS[0]),
    ],
}


FAMILIES = {"core": CORE, "numpy": NUMPY, "math": MATH, "nn": NN, "linalg": LINALG, "random": RANDOM}


def record():
    clear("ops")
    warnings.filterwarnings("ignore")
    for family, functions in FAMILIES.items():
        module = keras.random if family == "random" else keras.ops
        lines, failed = [], []
        for name, cases in functions.items():
            for i, case in enumerate(cases):
                try:
                    lines.append(recorded(name, getattr(module, name), i, case))
                except Exception as error:
                    failed.append(f"{name} {i}: {type(error).__name__}: {error}")
        if failed:
            raise SystemExit("Keras refuses\n" + "\n".join(failed))
        signatures = {name: str(inspect.signature(getattr(module, name)))[1:-1] for name in functions}
        write("ops", family, lines, signatures=signatures)
