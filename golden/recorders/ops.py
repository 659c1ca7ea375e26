"""keras.ops and keras.random: every function that Oxhorn has, on arguments of several types, shapes and axes."""

import warnings

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


def recorded(name, function, number, case):
    line = {
        "name": f"{name} {number}",
        "function": name,
        "args": [encoded(v) for v in case.args],
        "kwargs": {k: encoded(v) for k, v in case.kwargs.items()},
        "result": result(function(*case.args, **case.kwargs)),
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
    "repeat": [Case(A, 2), Case(A, 3, axis=0), Case(A, np.array([2, 0, 1]), axis=1), Case(A, 0, 1)],
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
    "split": [Case(A, 3, axis=1), Case(A, 2), Case(ROW, [1, 3]), Case(CUBE, [2, 3], axis=-1), Case(ROW, (3, 2))],
    "array_split": [Case(ROW, 2), Case(ROW, 3), Case(CUBE, 3, axis=2), Case(ROW, [1, 4]), Case(ROW[:2], 3)],
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
    "erf": NUMBERS,
    "erfc": unary(A, I, POINT),
    "erfinv": unary(UNIT, EMPTY),
    "rsqrt": unary(POSITIVE, I[0, :1]),
}

NN = {}

FAMILIES = {"core": CORE, "numpy": NUMPY, "math": MATH, "nn": NN}


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
        write("ops", family, lines)
