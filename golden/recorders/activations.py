"""keras.activations: every function, its values and its gradient."""

import inspect
import warnings

import jax
import keras
import numpy as np

from .common import array, clear, normal, write

# Kinks (0, 0.5, 1, 3, 6), both zeros, tiny, large and overflowing numbers.
POINTS = [
    0.0,
    -0.0,
    0.5,
    -0.5,
    1.0,
    -1.0,
    3.0,
    -3.0,
    6.0,
    -6.0,
    1e-6,
    -1e-6,
    0.1,
    -0.1,
    0.3,
    -0.7,
    2.5,
    -2.5,
    7.25,
    -9.5,
    20.0,
    -20.0,
    90.0,
    -90.0,
    1e4,
    -1e4,
]
ALONG_AN_AXIS = {"softmax", "log_softmax", "sparsemax", "glu"}
REQUIRED = {"threshold": {"threshold": 0.5, "default_value": -2.0}}
VARIANTS = {
    "celu": [{"alpha": 0.3}],
    "elu": [{"alpha": 0.3}],
    "gelu": [{"approximate": True}],
    "glu": [{"axis": 0}],
    "hard_shrink": [{"threshold": 1.5}],
    "leaky_relu": [{"negative_slope": 0.05}],
    "log_softmax": [{"axis": 0}],
    "relu": [
        {"negative_slope": 0.1},
        {"max_value": 2.5},
        {"threshold": 0.5},
        {"negative_slope": 0.1, "max_value": 6.0, "threshold": 1.0},
    ],
    "soft_shrink": [{"threshold": 1.5}],
    "softmax": [{"axis": 0}, {"axis": [0, 1]}],
    "sparsemax": [{"axis": 0}],
    "squareplus": [{"b": 1}],
    "threshold": [{"threshold": -1.0, "default_value": 7.0}],
}


def case(name, title, kwargs, x):
    function = getattr(keras.activations, name)
    y, pull = jax.vjp(lambda v: function(v, **kwargs), x)
    dy = normal(y.shape, name, title, str(kwargs))
    return {"name": title, "kwargs": kwargs, "x": array(x), "y": array(y), "dy": array(dy), "dx": array(pull(dy)[0])}


def cases(name):
    base = REQUIRED.get(name, {})
    for kwargs in [base] + VARIANTS.get(name, []):
        if name in ALONG_AN_AXIS:
            shapes = [(6,), (2, 4), (4, 2, 6), (2, 2)] if name == "glu" else [(5,), (3, 7), (2, 3, 5), (2, 1)]
            for shape in shapes:
                if len(shape) < len(np.atleast_1d(kwargs.get("axis", -1))):
                    continue
                yield case(name, f"rank {len(shape)}, shape {list(shape)}", kwargs, normal(shape, name, shape) * 2)
            big = np.array([[1e4, -1e4, 0.0, 0.0], [90.0, 90.0, -90.0, 3.0]], "float32")
            yield case(name, "large numbers and ties", kwargs, big)
        else:
            yield case(name, "points", kwargs, np.array(POINTS, "float32"))
            yield case(name, "rank 3", kwargs, normal((2, 3, 3), name, "rank 3"))
    if name not in ALONG_AN_AXIS:
        yield case(name, "not finite", base, np.array([np.nan, np.inf, -np.inf], "float32"))


def record():
    clear("activations")
    warnings.filterwarnings("ignore", message="You are using a softmax over axis")
    for name in sorted(dir(keras.activations)):
        function = getattr(keras.activations, name)
        if inspect.isfunction(function) and name not in ("get", "serialize", "deserialize"):
            write("activations", name, list(cases(name)), function=function.__name__)
