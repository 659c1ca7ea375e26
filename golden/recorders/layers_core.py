"""keras.layers of the core besides Dense and Activation: Identity, Embedding, EinsumDense."""

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


def einsum_dense():
    make = keras.layers.EinsumDense
    x2, x3 = normal((2, 3), "einsum x2"), normal((2, 3, 4), "einsum x3")
    for equation, output_shape, bias_axes, x in [
        ("ab,bc->ac", 5, None, x2),
        ("ab,bc->ac", 5, "c", x2),
        ("abc,cd->abd", (None, 5), "d", x3),
        ("abc,cd->abd", (3, 5), "bd", x3),
        ("abc,cd->abd", (3, 5), "b", x3),
        ("abc,bd->adc", (5, None), "d", x3),
        ("abc,bcd->ad", 2, "d", x3),
        ("abc,cde->abde", (None, 2, 5), "de", x3),
        ("abc,cde->abed", (None, 5, 2), "e", x3),
        ("abc,bcd->abd", (3, 5), "bd", x3),
        ("abc,bc->ac", (4,), None, x3),
        ("abc,bd->ad", 5, "d", x3),
        ("abc,cd->adb", (1, 3), "d", x3),
        ("...x,xy->...y", 5, "y", x2),
        ("...x,xy->...y", 5, "y", x3),
        ("...bc,cd->...bd", (3, 5), "b", normal((2, 1, 3, 4), "einsum x4")),
        ("...bc,cd->...db", (5, None), None, x3),
        ("ab...,bc->ac...", 5, "c", normal((2, 3, 4, 1), "einsum x4 right")),
        ("ab...,bc->ac...", 5, "c", x2),
        ("ab...,bcd->adc...", (2, 5), "d", x3),
        ("abc,cd->abd", (None, 1), "d", normal((1, 1, 7), "einsum x1")),
    ]:
        yield case(
            f"{equation} of {list(x.shape)} to {output_shape}, bias_axes {bias_axes}",
            lambda: make(equation, output_shape, bias_axes=bias_axes),
            x,
        )
    yield case("activation", lambda: make("abc,cd->abd", (None, 5), activation="tanh", bias_axes="d"), x3)
    for equation, output_shape, seeded in [
        ("abc,cde->abde", (None, 2, 5), initializers.GlorotUniform(seed=3)),
        ("abcd,cde->abe", (None, 5), initializers.HeNormal(seed=4)),
        ("abcd,cde->abe", (None, 5), initializers.VarianceScaling(2, "fan_out", "uniform", seed=5)),
        ("abcd,cde->abe", (None, 5), initializers.GlorotUniform(seed=5, input_axes=[0], output_axes=[2])),
        ("abcd,cde->abe", (None, 5), initializers.Constant(0.5)),
    ]:
        yield case(
            f"initializers, {type(seeded).__name__} for {equation}, {getattr(seeded, 'input_axes', None)}",
            lambda: make(equation, output_shape, kernel_initializer=seeded, bias_initializer="ones", bias_axes="e"),
            normal((2, 1, 3, 4), "einsum x4") if "d," in equation else x3,
            set_weights=False,
        )
    yield case(
        "default initializers after set_random_seed(812)",
        lambda: keras.utils.set_random_seed(812) or make("abc,bcd->ad", 2),
        x3,
        set_weights=False,
    )
    yield case(
        "regularizers and constraints",
        lambda: make(
            "abc,cd->abd",
            (None, 5),
            bias_axes="d",
            kernel_regularizer=regularizers.L2(0.1),
            bias_regularizer=regularizers.L1(0.2),
            activity_regularizer="l2",
            kernel_constraint=constraints.UnitNorm(axis=0),
            bias_constraint="non_neg",
        ),
        x3,
    )


LAYERS = [
    ("Identity", identity),
    ("Embedding", embedding),
    ("EinsumDense", einsum_dense),
]
