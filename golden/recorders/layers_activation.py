"""keras.layers that are activations: ReLU, LeakyReLU, PReLU, ELU, Softmax."""

import keras
import numpy as np
from keras import constraints, initializers, regularizers

from .common import normal
from .layers import case

AROUND_0 = np.array([[-7, -1, -0.5, -0.0, 0.0, 0.5, 1, 2, 7]], "float32")


def relu():
    make = keras.layers.ReLU
    x = np.concatenate([AROUND_0, normal((1, 9), "relu x")])
    for kwargs in [
        {},
        {"max_value": 1.0},
        {"max_value": 0.0},
        {"negative_slope": 0.25},
        {"threshold": 0.5},
        {"threshold": 1},
        {"max_value": 1.5, "negative_slope": 0.1, "threshold": 0.75},
        {"max_value": 6, "negative_slope": 0.5},
    ]:
        yield case(", ".join(f"{k} {v}" for k, v in kwargs.items()) or "default", lambda: make(**kwargs), x)
    yield case("rank 3", make, normal((2, 1, 3), "relu x3"), unknown=(0, 1))
    yield case("integers", make, np.array([[-3, 0, 7]], "int32"))


def leaky_relu():
    make = keras.layers.LeakyReLU
    x = np.concatenate([AROUND_0, normal((1, 9), "leaky x")])
    yield case("default", make, x)
    for slope in [0.0, 0.01, 1.0, 2]:
        yield case(f"negative_slope {slope}", lambda: make(negative_slope=slope), x)
    yield case("rank 1", make, normal((5,), "leaky x1"))


def prelu():
    make = keras.layers.PReLU
    x2, x4 = np.concatenate([AROUND_0, normal((1, 9), "prelu x")]), normal((2, 3, 2, 5), "prelu x4")
    yield case("default", make, x2)
    yield case("rank 4", make, x4)
    for axes in [[1], [2], [1, 2], [1, 2, 3]]:
        yield case(f"shared_axes {axes}", lambda: make(shared_axes=axes), x4)
    yield case("shared_axes as a number", lambda: make(shared_axes=2), x4)
    yield case("rank 1", make, normal((5,), "prelu x1"))
    yield case("initializers", lambda: make(alpha_initializer="ones"), x2, set_weights=False)
    yield case("initializers, default", make, x2, set_weights=False)
    yield case(
        "initializers, seeded",
        lambda: make(alpha_initializer=initializers.RandomUniform(0, 1, seed=3), shared_axes=[1]),
        x4,
        set_weights=False,
    )
    yield case(
        "alpha_regularizer and alpha_constraint",
        lambda: make(alpha_regularizer=regularizers.L1L2(0.1, 0.2), alpha_constraint=constraints.NonNeg()),
        x2,
    )
    yield case("not trainable, named", lambda: make(trainable=False, name="slope"), x2)


def elu():
    make = keras.layers.ELU
    x = np.concatenate([AROUND_0, normal((1, 9), "elu x"), np.full((1, 9), 100, "float32")])
    yield case("default", make, x)
    for alpha in [0.0, 0.5, 3]:
        yield case(f"alpha {alpha}", lambda: make(alpha=alpha), x)


def softmax():
    make = keras.layers.Softmax
    x = normal((2, 3, 5), "softmax x") * 3
    yield case("default", make, x)
    for axis in [0, 1, -2, [1], [1, 2], [-1, 0], [0, 1, 2]]:
        yield case(f"axis {axis}", lambda: make(axis=axis), x)
    yield case("rank 2", make, normal((3, 7), "softmax x2"))
    yield case("one class", make, normal((3, 1), "softmax x1"))
    yield case("large numbers", make, np.array([[1000, 1001, -1000], [0, 0, 0]], "float32"))


LAYERS = [
    ("ReLU", relu),
    ("LeakyReLU", leaky_relu),
    ("PReLU", prelu),
    ("ELU", elu),
    ("Softmax", softmax),
]
