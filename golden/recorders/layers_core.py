"""keras.layers of the core that are no affine maps: Identity, Embedding."""

import keras
import numpy as np
from keras import constraints, initializers, regularizers

from .common import normal
from .layers import case


def identity():
    make = keras.layers.Identity
    yield case("rank 2", make, normal((2, 3), "identity x"))
    yield case("rank 1", make, normal((5,), "identity x1"))
    yield case("integers", make, np.arange(6, dtype="int32").reshape(2, 3))
    yield case("named", lambda: make(name="place"), normal((2, 1, 3), "identity x3"), unknown=(0, 1))


def embedding():
    make = keras.layers.Embedding
    x = np.array([[0, 4, 2], [2, 2, 1]], "int32")
    yield case("rank 2", lambda: make(5, 3), x)
    yield case("rank 1", lambda: make(5, 2), np.array([4, 0, 3], "int32"))
    yield case("rank 3", lambda: make(7, 1), np.arange(6, dtype="int32").reshape(1, 3, 2), unknown=(0, 1))
    yield case("one row", lambda: make(1, 4), np.zeros((2, 1), "int32"))
    yield case("real numbers", lambda: make(3, 2), np.array([[0, 1, 2], [0.9, -0.9, 1.99]], "float32"))
    yield case("bytes", lambda: make(3, 2), np.array([[0, 1, 2]], "uint8"))
    yield case("numbers of no row", lambda: make(3, 2), np.array([[0, -1, -3, -4, 2, 3, 100]], "int32"))
    yield case("numbers of no row, real", lambda: make(3, 2), np.array([[0, -1, -3, -4, 2, 3, 100]], "float32"))
    yield case("initializers", lambda: make(5, 3, embeddings_initializer="ones"), x, set_weights=False)
    yield case(
        "initializers, seeded",
        lambda: make(5, 3, embeddings_initializer=initializers.HeNormal(seed=3)),
        x,
        set_weights=False,
    )
    yield case(
        "default initializers after set_random_seed(812)",
        lambda: keras.utils.set_random_seed(812) or make(5, 3),
        x,
        set_weights=False,
    )
    real = x.astype("float32")
    yield case("embeddings_regularizer", lambda: make(5, 3, embeddings_regularizer=regularizers.L2(0.1)), real)
    yield case("activity_regularizer", lambda: make(5, 3, activity_regularizer="l1"), real)
    yield case("embeddings_constraint", lambda: make(5, 3, embeddings_constraint=constraints.UnitNorm(axis=1)), x)
    yield case("not trainable, named", lambda: make(5, 3, trainable=False, name="words"), x)


LAYERS = [
    ("Identity", identity),
    ("Embedding", embedding),
]
