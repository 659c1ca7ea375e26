"""keras.layers: Input, Dense, Activation, Dropout, Flatten, Reshape, Rescaling, and the families in layers_*.py."""

import jax
import keras
import numpy as np
from keras import constraints, initializers, regularizers

from .common import array, arrays, clear, envelope, fresh, normal, number, plain, write


def case(title, make, x, unknown=(0,), set_weights=True):
    """make() builds the layer; x is its input, or a list of inputs. The axes in unknown are None in the symbolic ones."""
    fresh()
    layer = make()
    each = (lambda f: [f(v) for v in x]) if isinstance(x, list) else (lambda f: f(x))
    symbolic = lambda v: tuple(None if i in unknown else n for i, n in enumerate(v.shape))
    output_shape = layer.compute_output_spec(each(lambda v: keras.KerasTensor(symbolic(v), dtype=str(v.dtype)))).shape
    if not layer.built:
        layer.build(each(lambda v: v.shape))
    if set_weights:
        layer.set_weights([normal(w.shape, title, w.name) for w in layer.weights])
    train = [w.value for w in layer.trainable_variables]
    rest = [w.value for w in layer.non_trainable_variables]
    differentiable = all(np.issubdtype(v.dtype, np.floating) for v in (x if isinstance(x, list) else [x]))

    def forward(train, x):
        """Layer.stateless_call would skip activity regularizers and casts, which are the work of Layer.__call__."""
        variables = layer.trainable_variables + layer.non_trainable_variables
        with keras.StatelessScope(state_mapping=list(zip(variables, train + rest)), collect_losses=True):
            y = layer(x, training=False)
            return y, layer.losses

    y, losses = forward(train, x)
    dy = normal(y.shape, title, "dy")
    out = {
        "name": title,
        "config": envelope(layer),
        "input_shape": plain(each(symbolic)),
        "output_shape": plain(output_shape),
        "inputs" if isinstance(x, list) else "input": each(array),
        "weights": arrays(layer.get_weights()),
        "output": array(y),
        "dy": array(dy),
    }
    if differentiable:
        dweights, dx = jax.vjp(lambda t, v: forward(t, v)[0], train, x)[1](dy)
        dx = arrays(dx) if isinstance(x, list) else array(dx)
        out |= {"dx": dx, "dweights": arrays(dweights)}
    if losses:
        dweights, dx = jax.grad(lambda t, v: sum(forward(t, v)[1]), (0, 1))(train, x)
        out |= {
            "losses": [number(np.float32(v)) for v in losses],
            "losses_dx": array(dx),
            "losses_dweights": arrays(dweights),
        }
    if any(w.constraint is not None for w in layer.weights):
        out["constrained"] = arrays([w.constraint(w.value) if w.constraint else w.value for w in layer.weights])
    return out


def dense():
    x2, x3 = normal((2, 3), "dense x2"), normal((2, 3, 4), "dense x3")
    x4 = normal((2, 1, 3, 2), "dense x4")
    make = keras.layers.Dense
    yield case("rank 2", lambda: make(7), normal((3, 5), "dense x35"))
    yield case("rank 3", lambda: make(3), x3, unknown=(0, 1))
    yield case("rank 4", lambda: make(5), x4)
    yield case("one row, one unit", lambda: make(1), normal((1, 5), "dense x1"))
    yield case("one input", lambda: make(3), normal((4, 1), "dense n1"))
    yield case("no bias", lambda: make(3, use_bias=False), x2)
    for activation in ["relu", "softmax", "sigmoid", "tanh", "gelu", "linear"]:
        yield case(f"activation {activation}", lambda: make(4, activation=activation), x2)
    yield case("activation softmax, rank 3", lambda: make(4, activation="softmax"), x3)
    yield case("named", lambda: make(2, name="head", activation="relu"), x2)
    yield case("not trainable", lambda: make(2, trainable=False, kernel_regularizer="l2"), x2)
    yield case(
        "initializers",
        lambda: make(
            3,
            kernel_initializer=initializers.HeNormal(seed=3),
            bias_initializer=initializers.RandomUniform(-1, 1, seed=4),
        ),
        x2,
        set_weights=False,
    )
    yield case(
        "initializers by name",
        lambda: make(3, kernel_initializer="ones", bias_initializer="ones"),
        x2,
        set_weights=False,
    )
    yield case(
        "default initializers after set_random_seed(812)",
        lambda: keras.utils.set_random_seed(812) or make(3),
        x2,
        set_weights=False,
    )
    for regularizer in [
        regularizers.L1(0.02),
        regularizers.L2(0.03),
        regularizers.L1L2(0.02, 0.03),
        regularizers.OrthogonalRegularizer(0.04),
        regularizers.OrthogonalRegularizer(0.04, "columns"),
    ]:
        title = type(regularizer).__name__ + (" columns" if getattr(regularizer, "mode", "") == "columns" else "")
        yield case(f"kernel_regularizer {title}", lambda: make(3, kernel_regularizer=regularizer), x2)
    yield case("regularizers by name", lambda: make(3, kernel_regularizer="l1", bias_regularizer="l2"), x2)
    yield case("regularizer l1l2 by name", lambda: make(3, kernel_regularizer="l1l2"), x2)
    yield case("bias_regularizer", lambda: make(3, bias_regularizer=regularizers.L1(0.5)), x2)
    yield case("activity_regularizer", lambda: make(3, activity_regularizer=regularizers.L2(0.25)), x2)
    yield case("activity_regularizer, rank 3", lambda: make(3, activity_regularizer="l1", activation="relu"), x3)
    yield case(
        "all three regularizers",
        lambda: make(
            3,
            activation="tanh",
            kernel_regularizer=regularizers.L2(0.1),
            bias_regularizer=regularizers.L1(0.2),
            activity_regularizer=regularizers.L1L2(0.3, 0.4),
        ),
        x2,
    )
    for constraint in [
        constraints.MaxNorm(1.2, axis=0),
        constraints.MaxNorm(0.7, axis=1),
        constraints.NonNeg(),
        constraints.UnitNorm(axis=0),
        constraints.UnitNorm(axis=[0, 1]),
        constraints.MinMaxNorm(1.5, 1.9, rate=0.5, axis=0),
        constraints.MinMaxNorm(0.2, 0.9, axis=1),
    ]:
        arguments = ", ".join(f"{k}={v}" for k, v in constraint.get_config().items())
        title = f"kernel_constraint {type(constraint).__name__} {arguments}".rstrip()
        yield case(title, lambda: make(4, kernel_constraint=constraint), x2)
    yield case("bias_constraint", lambda: make(3, bias_constraint="non_neg"), x2)


def activation():
    x = normal((2, 5), "activation x") * 2
    make = keras.layers.Activation
    for name in ["relu", "softmax", "sigmoid", "linear", "leaky_relu", "hard_silu", "swish"]:
        yield case(f"by name {name}", lambda: make(name), x)
    yield case("function", lambda: make(keras.activations.tanh), x)
    yield case("none", lambda: make(None), x)
    yield case(
        "rank 3, named", lambda: make("log_softmax", name="odds"), normal((2, 1, 4), "activation x3"), unknown=(0, 1)
    )


def flatten():
    make = keras.layers.Flatten
    for shape in [(3,), (3, 4), (3, 1), (2, 3, 4), (2, 3, 1, 2)]:
        yield case(f"rank {len(shape)}, shape {list(shape)}", make, normal(shape, "flatten", shape))
    yield case("channels_first", lambda: make(data_format="channels_first"), normal((2, 3, 2, 2), "flatten cf"))
    yield case("channels_last", lambda: make(data_format="channels_last"), normal((2, 3, 2, 2), "flatten cl"))
    yield case("unknown axis", make, normal((2, 3, 4), "flatten unknown"), unknown=(0, 1))
    yield case("integers", make, np.arange(12, dtype="int32").reshape(2, 3, 2))


def reshape():
    make = keras.layers.Reshape
    x = normal((2, 3, 4), "reshape x")
    for target in [(12,), (4, 3), (2, 1, 6), (-1,), (-1, 2), (2, -1, 3), (3, 4)]:
        yield case(f"target_shape {list(target)}", lambda: make(target), x)
    yield case("to no axes", lambda: make(()), normal((5, 1), "reshape scalar"))
    yield case("unknown axis", lambda: make((-1, 2)), x, unknown=(0, 1))
    yield case("list", lambda: make([6, 2]), x)


def rescaling():
    make = keras.layers.Rescaling
    x = normal((2, 3), "rescaling x")
    yield case("scale", lambda: make(1 / 255), x)
    yield case("scale and offset", lambda: make(2.0, offset=-1.0), x)
    yield case("integer arguments", lambda: make(3, offset=2), x)
    yield case("one scale and offset per channel", lambda: make([0.5, 2.0, 3.0], offset=[0.0, 1.0, -1.0]), x)
    yield case("bytes", lambda: make(1 / 127.5, offset=-1), np.array([[0, 1, 127], [128, 254, 255]], "uint8"))
    yield case("integers", lambda: make(0.5), np.array([[-3, 0, 7]], "int32"))


def dropout():
    def training(title, make, x, calls=3):
        out = case(title, make, x)
        fresh()
        layer = make()
        generator = getattr(layer, "seed_generator", None)
        out["training"] = []
        for _ in range(calls):
            state = [int(v) for v in np.asarray(generator.state.value)] if generator else None
            out["training"].append({"seed_state": state, "output": array(layer(x, training=True))})
        return out

    make = keras.layers.Dropout
    x = normal((3, 7), "dropout x")
    for rate in [0, 0.3, 0.5, 0.999, 1]:
        yield training(f"rate {rate}", lambda: make(rate, seed=1337), x)
    yield training("rate 1.0 as a float", lambda: make(1.0, seed=5), x, calls=2)
    yield training("ones", lambda: make(0.3, seed=3), np.ones((5, 9), "float32"))
    yield training("seed 0", lambda: make(0.5, seed=0), x)
    yield training("large seed", lambda: make(0.4, seed=999_999_999), x)
    yield training("seed above 2**31", lambda: make(0.4, seed=3_000_000_000), x)
    yield training("rank 1", lambda: make(0.4, seed=8), normal((5,), "dropout x1"))
    yield training("one number", lambda: make(0.4, seed=8), normal((1, 1), "dropout x11"), calls=5)
    yield training("rank 3", lambda: make(0.2, seed=9), normal((2, 3, 5), "dropout x3"))
    yield training(
        "noise_shape [null, 1, null]",
        lambda: make(0.5, noise_shape=(None, 1, None), seed=9),
        normal((2, 3, 5), "dropout x3"),
    )
    yield training(
        "noise_shape [2, 1, 5]", lambda: make(0.5, noise_shape=[2, 1, 5], seed=9), normal((2, 3, 5), "dropout x3")
    )
    yield training("noise_shape [1, 7]", lambda: make(0.5, noise_shape=(1, 7), seed=2), x)
    yield training("noise_shape [3, 1]", lambda: make(0.5, noise_shape=(3, 1), seed=2), x)
    yield training("no seed, after set_random_seed(812)", lambda: keras.utils.set_random_seed(812) or make(0.4), x)
    yield training("not trainable, named", lambda: make(0.4, seed=1, trainable=False, name="drop"), x)


def inputs():
    for title, kwargs in [
        ("shape", {"shape": [25]}),
        ("no axes", {"shape": []}),
        ("unknown axis", {"shape": [None, 3]}),
        ("batch_size", {"shape": [4, 3], "batch_size": 2}),
        ("batch_shape", {"batch_shape": [None, 7]}),
        ("dtype", {"shape": [3], "dtype": "int32"}),
        ("name", {"shape": [3], "name": "pixels"}),
        ("optional", {"shape": [3], "optional": True}),
    ]:
        fresh()
        tensor = keras.layers.Input(**{k: tuple(v) if isinstance(v, list) else v for k, v in kwargs.items()})
        yield {
            "name": title,
            "arguments": kwargs,
            "config": envelope(tensor._keras_history.operation),
            "output_shape": plain(tensor.shape),
            "dtype": tensor.dtype,
        }


def record():
    # They take `case` from here.
    from . import layers_activation, layers_core, layers_merging, layers_reshaping

    clear("layers")
    for name, cases in [
        ("Input", inputs),
        ("Dense", dense),
        ("Activation", activation),
        ("Dropout", dropout),
        ("Flatten", flatten),
        ("Reshape", reshape),
        ("Rescaling", rescaling),
        *layers_activation.LAYERS,
        *layers_core.LAYERS,
        *layers_merging.LAYERS,
        *layers_reshaping.LAYERS,
    ]:
        write("layers", name, list(cases()))
