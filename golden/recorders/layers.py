"""keras.layers; more families are in layers_*.py."""

import jax
import keras
import numpy as np
from keras import constraints, initializers, regularizers

from .common import array, arrays, clear, envelope, fresh, normal, number, plain, uniform, write


def made_up_weight(weight, title):
    """Of any sign, but for variances."""
    value = normal(weight.shape, title, weight.name)
    return np.abs(value) + np.float32(0.25) if weight.name == "moving_variance" else value


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
        layer.set_weights([made_up_weight(w, title) for w in layer.weights])
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


def noisy(title, make, x, calls=3):
    """A case of a layer that draws, with successive calls in training."""
    out = case(title, make, x)
    fresh()
    layer = make()
    generator = getattr(layer, "seed_generator", None)
    out["training"] = []
    for _ in range(calls):
        state = [int(v) for v in np.asarray(generator.state.value)] if generator else None
        out["training"].append({"seed_state": state, "output": array(layer(x, training=True))})
    return out


def learning(title, make, x, calls=2, **options):
    """A case of a layer whose state follows what it sees in training: successive calls, the gradients of each by the
    case's dy, and all weights after it."""
    out = case(title, make, x, **options)
    fresh()
    layer = make()
    layer.build(x.shape)
    layer.set_weights([np.array(w["data"], w["dtype"]).reshape(w["shape"]) for w in out["weights"]])
    dy = np.array(out["dy"]["data"], "float32").reshape(out["dy"]["shape"])

    def forward(train, rest, x):
        y, _ = layer.stateless_call(train, rest, x, training=True)
        return y

    out["training"] = []
    for _ in range(calls):
        train = [w.value for w in layer.trainable_variables]
        rest = [w.value for w in layer.non_trainable_variables]
        dweights, dx = jax.vjp(lambda t, v: forward(t, rest, v), train, x)[1](dy)
        y = layer(x, training=True)
        out["training"].append(
            {
                "seed_state": None,
                "output": array(y),
                "dx": array(dx),
                "dweights": arrays(dweights),
                "weights": arrays(layer.get_weights()),
            }
        )
    return out


def dropout():
    make = keras.layers.Dropout
    x = normal((3, 7), "dropout x")
    for rate in [0, 0.3, 0.5, 0.999, 1]:
        yield noisy(f"rate {rate}", lambda: make(rate, seed=1337), x)
    yield noisy("rate 1.0 as a float", lambda: make(1.0, seed=5), x, calls=2)
    yield noisy("ones", lambda: make(0.3, seed=3), np.ones((5, 9), "float32"))
    yield noisy("seed 0", lambda: make(0.5, seed=0), x)
    yield noisy("large seed", lambda: make(0.4, seed=999_999_999), x)
    yield noisy("seed above 2**31", lambda: make(0.4, seed=3_000_000_000), x)
    yield noisy("rank 1", lambda: make(0.4, seed=8), normal((5,), "dropout x1"))
    yield noisy("one number", lambda: make(0.4, seed=8), normal((1, 1), "dropout x11"), calls=5)
    yield noisy("rank 3", lambda: make(0.2, seed=9), normal((2, 3, 5), "dropout x3"))
    yield noisy(
        "noise_shape [null, 1, null]",
        lambda: make(0.5, noise_shape=(None, 1, None), seed=9),
        normal((2, 3, 5), "dropout x3"),
    )
    yield noisy(
        "noise_shape [2, 1, 5]", lambda: make(0.5, noise_shape=[2, 1, 5], seed=9), normal((2, 3, 5), "dropout x3")
    )
    yield noisy("noise_shape [1, 7]", lambda: make(0.5, noise_shape=(1, 7), seed=2), x)
    yield noisy("noise_shape [3, 1]", lambda: make(0.5, noise_shape=(3, 1), seed=2), x)
    yield noisy("no seed, after set_random_seed(812)", lambda: keras.utils.set_random_seed(812) or make(0.4), x)
    yield noisy("not trainable, named", lambda: make(0.4, seed=1, trainable=False, name="drop"), x)


def gaussian_dropout():
    make = keras.layers.GaussianDropout
    x = normal((3, 7), "gaussian dropout x")
    for rate in [0, 0.3, 0.5, 0.99]:
        yield noisy(f"rate {rate}", lambda: make(rate, seed=1337), x)
    yield noisy("rank 1", lambda: make(0.4, seed=8), normal((5,), "gaussian dropout x1"))
    yield noisy("rank 3", lambda: make(0.2, seed=9), normal((2, 3, 5), "gaussian dropout x3"))
    yield noisy("no seed, after set_random_seed(812)", lambda: keras.utils.set_random_seed(812) or make(0.4), x)
    yield noisy("not trainable, named", lambda: make(0.4, seed=1, trainable=False, name="drop"), x)


def gaussian_noise():
    make = keras.layers.GaussianNoise
    x = normal((3, 7), "gaussian noise x")
    for stddev in [0, 0.1, 0.5, 1]:
        yield noisy(f"stddev {stddev}", lambda: make(stddev, seed=1337), x)
    yield noisy("zeros", lambda: make(1.0, seed=3), np.zeros((5, 61), "float32"))
    yield noisy("rank 1", lambda: make(0.4, seed=8), normal((5,), "gaussian noise x1"))
    yield noisy("rank 3", lambda: make(0.2, seed=9), normal((2, 3, 5), "gaussian noise x3"))
    yield noisy("no seed, after set_random_seed(812)", lambda: keras.utils.set_random_seed(812) or make(0.4), x)
    yield noisy("not trainable, named", lambda: make(0.4, seed=1, trainable=False, name="noise"), x)


def alpha_dropout():
    make = keras.layers.AlphaDropout
    x, x3 = normal((3, 7), "alpha dropout x"), normal((2, 3, 5), "alpha dropout x3")
    for rate in [0, 0.1, 0.5, 0.999]:
        yield noisy(f"rate {rate}", lambda: make(rate, seed=1337), x)
    yield noisy("zeros", lambda: make(0.3, seed=3), np.zeros((5, 9), "float32"))
    yield noisy("rank 3", lambda: make(0.2, seed=9), x3)
    yield noisy("noise_shape [null, 1, null]", lambda: make(0.5, noise_shape=(None, 1, None), seed=9), x3)
    yield noisy("noise_shape [2, 1, 5]", lambda: make(0.5, noise_shape=[2, 1, 5], seed=9), x3)
    yield noisy("noise_shape [1, 7]", lambda: make(0.5, noise_shape=(1, 7), seed=2), x)
    yield noisy("no seed, after set_random_seed(812)", lambda: keras.utils.set_random_seed(812) or make(0.4), x)
    yield noisy("not trainable, named", lambda: make(0.4, seed=1, trainable=False, name="drop"), x)


def spatial_dropout(make, x):
    for rate in [0, 0.3, 0.5, 1]:
        yield noisy(f"rate {rate}", lambda: make(rate, seed=1337), x)
    yield noisy("one number", lambda: make(0.4, seed=8), normal((1,) * x.ndim, "spatial dropout x1"), calls=5)
    yield noisy("no seed, after set_random_seed(812)", lambda: keras.utils.set_random_seed(812) or make(0.4), x)
    yield noisy("named", lambda: make(0.4, seed=1, name="drop"), x)
    if x.ndim > 3:
        yield noisy("channels_first", lambda: make(0.5, data_format="channels_first", seed=2), x)
        yield noisy("channels_last", lambda: make(0.5, data_format="channels_last", seed=2), x)


def activity_regularization():
    make = keras.layers.ActivityRegularization
    x = normal((3, 5), "activity regularization x")
    yield case("neither", make, x)
    yield case("l1", lambda: make(l1=0.2), x)
    yield case("l2", lambda: make(l2=0.3), x)
    yield case("both", lambda: make(0.2, 0.3), x)
    yield case("one sample", lambda: make(0.2, 0.3), np.array([[2.0]], "float32"))
    yield case("rank 3, named", lambda: make(0.2, 0.3, name="calm"), normal((2, 1, 3), "activity regularization x3"))
    yield case("not trainable", lambda: make(l1=0.2, trainable=False), x)


def affine():
    """Settings of layers with gamma and beta."""
    yield {"center": False}
    yield {"scale": False}
    yield {"center": False, "scale": False}
    yield {"epsilon": 0.5}
    yield {"gamma_initializer": initializers.RandomUniform(0.5, 2, seed=3), "beta_initializer": "ones"}
    yield {"gamma_regularizer": regularizers.L2(0.1), "beta_regularizer": "l1"}
    yield {"gamma_constraint": constraints.MaxNorm(0.7), "beta_constraint": "non_neg"}
    yield {"trainable": False, "name": "norm"}


def batch_normalization():
    make = keras.layers.BatchNormalization
    x2, x3, x4 = (normal(s, "batch normalization", s) for s in [(5, 3), (2, 3, 4), (2, 3, 5, 2)])
    yield learning("rank 2", make, x2)
    yield learning("rank 3", make, x3, unknown=(0, 1))
    yield learning("rank 4", make, x4)
    yield learning("axis 1", lambda: make(axis=1), x4)
    yield learning("axis -2", lambda: make(axis=-2), x3)
    yield learning("one sample", make, normal((1, 3), "batch normalization one"))
    yield learning("one feature", make, normal((7, 1), "batch normalization feature"))
    yield learning("momentum 0.5", lambda: make(momentum=0.5), x2)
    yield learning("whole numbers", lambda: make(momentum=0.9), np.arange(6, dtype="float32").reshape(3, 2))
    for settings in affine():
        yield learning(
            ", ".join(settings), lambda: make(**settings), x2, set_weights="gamma_initializer" not in settings
        )
    yield learning(
        "moving initializers",
        lambda: make(moving_mean_initializer="ones", moving_variance_initializer=initializers.Constant(0.5)),
        x2,
        set_weights=False,
    )


def normalization_layer(make, shapes, more):
    x = normal(shapes[0], make.__name__, shapes[0])
    for shape in shapes:
        yield case(f"shape {list(shape)}", make, normal(shape, make.__name__, shape))
    yield case("zeros", make, np.zeros((2, *shapes[0][1:]), "float32"))
    for title, settings, shape in more:
        yield case(title, lambda: make(**settings), normal(shape, make.__name__, title))
    if make.__name__ in ("LayerNormalization", "GroupNormalization"):
        for settings in affine():
            yield case(
                ", ".join(settings), lambda: make(**settings), x, set_weights="gamma_initializer" not in settings
            )


def layer_normalization():
    def make(**settings):
        return keras.layers.LayerNormalization(**settings)

    make.__name__ = "LayerNormalization"
    more = [
        ("axis 1", {"axis": 1}, (2, 3, 5)),
        ("axis [1, 2]", {"axis": [1, 2]}, (2, 3, 5)),
        ("axis [2, 1]", {"axis": [2, 1]}, (2, 3, 5)),
        ("axis [1, -1]", {"axis": [1, -1]}, (2, 3, 5)),
        ("axis [-2]", {"axis": [-2]}, (2, 3, 5)),
        ("axis [0, 1]", {"axis": [0, 1]}, (2, 3)),
        ("rms_scaling", {"rms_scaling": True}, (3, 5)),
        ("rms_scaling, no scale", {"rms_scaling": True, "scale": False}, (3, 5)),
        ("rms_scaling, axis 1", {"rms_scaling": True, "axis": 1}, (2, 3, 5)),
    ]
    yield from normalization_layer(make, [(3, 5), (2, 3, 4), (2, 1, 3, 7), (4, 1)], more)


def group_normalization():
    def make(groups=2, **settings):
        return keras.layers.GroupNormalization(groups, **settings)

    make.__name__ = "GroupNormalization"
    more = [
        ("groups 1", {"groups": 1}, (2, 3, 6)),
        ("groups 3", {"groups": 3}, (2, 3, 6)),
        ("groups 6", {"groups": 6}, (2, 3, 6)),
        ("groups -1", {"groups": -1}, (2, 3, 6)),
        ("groups -1, rank 4, axis 1", {"groups": -1, "axis": 1}, (2, 3, 5, 2)),
        ("axis 1", {"axis": 1}, (2, 4, 5)),
        ("axis 2, rank 4", {"axis": 2}, (2, 3, 4, 5)),
        ("axis -2, rank 4", {"axis": -2}, (2, 3, 4, 5)),
    ]
    yield from normalization_layer(make, [(3, 6), (2, 3, 4), (2, 3, 5, 4)], more)


def rms_normalization():
    def make(**settings):
        return keras.layers.RMSNormalization(**settings)

    make.__name__ = "RMSNormalization"
    more = [
        ("axis [1, 2]", {"axis": [1, 2]}, (2, 3, 5)),
        ("axis 2", {"axis": 2}, (2, 3, 5)),
        ("epsilon", {"epsilon": 0.5}, (3, 5)),
        ("not trainable, named", {"trainable": False, "name": "norm"}, (3, 5)),
    ]
    yield from normalization_layer(make, [(3, 5), (2, 3, 4), (4, 1)], more)


def unit_normalization():
    make = keras.layers.UnitNormalization
    for shape in [(3, 5), (2, 3, 4), (4, 1), (5,)]:
        yield case(f"shape {list(shape)}", make, normal(shape, "unit normalization", shape))
    x = normal((2, 3, 5), "unit normalization x")
    for axis in [1, [1, 2], [-1, 0], [0]]:
        yield case(f"axis {axis}", lambda: make(axis=axis), x)
    yield case("short", make, np.array([[1e-13, 2e-13], [3e-6, -4e-6]], "float32"))


def normalization():
    make = keras.layers.Normalization
    x = normal((2, 3, 4), "normalization x")
    last = {"mean": [0.5, -1.0, 2.0, 0.0], "variance": [1.0, 0.25, 4.0, 3.0]}
    yield case("one number", lambda: make(mean=3.0, variance=2.0), x)
    yield case("integers", lambda: make(axis=None, mean=3, variance=2), x)
    yield case("no axis", lambda: make(axis=None, mean=3.5, variance=2.5), x)
    yield case("last axis", lambda: make(**last), x)
    yield case("last axis, inverted", lambda: make(invert=True, **last), x)
    yield case("axis 1", lambda: make(axis=1, mean=[1.0, 2.0, 3.0], variance=[0.1, 0.2, 0.3]), x)
    yield case("axes, values along the last", lambda: make(axis=(1, 2), **last), x)
    yield case(
        "axes in another order",
        lambda: make(
            axis=(2, 1), mean=normal((3, 4), "normalization mean"), variance=uniform((3, 4), "normalization variance")
        ),
        x,
    )
    yield case(
        "axis of one", lambda: make(axis=[0, 2], mean=[[1.0], [2.0]], variance=[[0.5], [4.0]]), normal((2, 3, 1), "n1")
    )
    yield case("no variance", lambda: make(mean=0.5, variance=0.0), np.array([[0.5, 0.75]], "float32"))
    yield case("no variance, inverted", lambda: make(mean=0.5, variance=0.0, invert=True), x)
    yield case("given integers", lambda: make(mean=3.0, variance=2.0), np.array([[-3, 0, 7]], "int32"))


def global_pooling(make, rank):
    extents = (2, 3, 5, 4)
    x = normal(extents[:rank], "global pooling x", rank)
    for keepdims in [False, True]:
        for data_format in ["channels_last", "channels_first"]:
            title = data_format + ", keepdims" * keepdims
            yield case(title, lambda: make(data_format=data_format, keepdims=keepdims), x)
    yield case("unknown axes", make, x, unknown=(0, 1))
    yield case("one position", lambda: make(name="pool"), normal((3,) + (1,) * (rank - 2) + (2,), "global pooling one"))
    yield case("equal numbers", make, np.ones(extents[:rank], "float32"))


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
        ("GaussianDropout", gaussian_dropout),
        ("GaussianNoise", gaussian_noise),
        ("AlphaDropout", alpha_dropout),
        ("SpatialDropout1D", lambda: spatial_dropout(keras.layers.SpatialDropout1D, normal((2, 5, 3), "spatial 1"))),
        ("SpatialDropout2D", lambda: spatial_dropout(keras.layers.SpatialDropout2D, normal((2, 3, 2, 3), "spatial 2"))),
        (
            "SpatialDropout3D",
            lambda: spatial_dropout(keras.layers.SpatialDropout3D, normal((2, 3, 1, 2, 3), "spatial 3")),
        ),
        ("ActivityRegularization", activity_regularization),
        ("BatchNormalization", batch_normalization),
        ("LayerNormalization", layer_normalization),
        ("GroupNormalization", group_normalization),
        ("RMSNormalization", rms_normalization),
        ("UnitNormalization", unit_normalization),
        ("Normalization", normalization),
        ("GlobalAveragePooling1D", lambda: global_pooling(keras.layers.GlobalAveragePooling1D, 3)),
        ("GlobalAveragePooling2D", lambda: global_pooling(keras.layers.GlobalAveragePooling2D, 4)),
        ("GlobalMaxPooling1D", lambda: global_pooling(keras.layers.GlobalMaxPooling1D, 3)),
        ("GlobalMaxPooling2D", lambda: global_pooling(keras.layers.GlobalMaxPooling2D, 4)),
    ]:
        write("layers", name, list(cases()))
