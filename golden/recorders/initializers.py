"""keras.initializers: every class, with integer seeds."""

import keras
import numpy as np

from .common import array, clear, envelope, fresh, write

SHAPES = [(5,), (3, 4), (1, 7), (3, 2, 4), (2, 3, 2, 3)]
SCALED = ["GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "LecunNormal", "LecunUniform"]

WINDOWS = [
    *["barthann", "bartlett", "blackman", "blackmanharris", "bohman", "boxcar", "cosine", "exponential", "flattop"],
    *["hamming", "lanczos", "nuttall", "parzen", "taylor", "triang", "tukey"],
]


def case(title, make, shape):
    fresh()
    initializer = make()
    return {"name": title, "config": envelope(initializer), "shape": list(shape), "values": array(initializer(shape))}


def over_shapes(make, shapes=SHAPES):
    for shape in shapes:
        yield case(f"shape {list(shape)}", make, shape)


def scaled(name):
    make = getattr(keras.initializers, name)
    yield from over_shapes(lambda: make(seed=1337), SHAPES + [(), (2, 0)])
    yield case("another seed", lambda: make(seed=0), (3, 4))
    yield case("no seed, after set_random_seed(812)", lambda: keras.utils.set_random_seed(812) or make(), (3, 4))
    yield case("input_axes and output_axes", lambda: make(seed=1337, input_axes=[0], output_axes=[1, 2]), (3, 2, 4))


def random_normal(name):
    make = getattr(keras.initializers, name)
    yield from over_shapes(lambda: make(seed=7))
    yield case("mean", lambda: make(mean=3.0, seed=7), (3, 4))
    yield case("stddev", lambda: make(stddev=2.0, seed=7), (3, 4))
    yield case("large seed", lambda: make(seed=999_999_999), (3, 4))
    yield case("many", lambda: make(stddev=1.0, seed=11), (301,))


def random_uniform():
    make = keras.initializers.RandomUniform
    yield from over_shapes(lambda: make(seed=7))
    yield case("minval", lambda: make(minval=-2.0, seed=7), (3, 4))
    yield case("maxval", lambda: make(maxval=2.0, seed=7), (3, 4))
    yield case("many", lambda: make(minval=0.0, maxval=1.0, seed=11), (301,))


def variance_scaling():
    make = keras.initializers.VarianceScaling
    yield from over_shapes(lambda: make(seed=5))
    yield case("scale", lambda: make(scale=3.0, seed=5), (3, 4))
    for mode in ["fan_in", "fan_out", "fan_avg"]:
        for distribution in ["truncated_normal", "untruncated_normal", "uniform"]:
            yield case(f"{mode}, {distribution}", lambda: make(mode=mode, distribution=distribution, seed=5), (3, 4))
    yield case("normal", lambda: make(distribution="normal", seed=5), (3, 4))
    yield case("input_axes and output_axes", lambda: make(seed=5, input_axes=[1], output_axes=[0, 2]), (3, 2, 4))


def orthogonal():
    make = keras.initializers.Orthogonal
    yield from over_shapes(lambda: make(seed=5), [(3, 3), (5, 2), (2, 5), (1, 1), (4, 1), (2, 3, 4), (2, 2, 2, 3)])
    yield case("gain", lambda: make(gain=-0.5, seed=5), (3, 3))
    yield case("another seed", lambda: make(seed=6), (3, 3))


def identity():
    make = keras.initializers.Identity
    yield from over_shapes(make, [(3, 3), (2, 4), (4, 2)])
    yield case("gain", lambda: make(gain=2.5), (3, 3))


def constant():
    make = keras.initializers.Constant
    yield from over_shapes(lambda: make(0.1), [(), (3,), (2, 2), (2, 1, 1, 2)])
    yield case("default", make, (3,))
    yield case("integer", lambda: make(-7), (2,))
    yield case("array, broadcast", lambda: make(np.array([1.0, -2.0, 0.5], "float32")), (2, 3))


def stft():
    make = keras.initializers.STFT
    shape = (5, 1, 4)
    yield case("default", make, shape)
    yield case("imag", lambda: make(side="imag"), shape)
    for window in WINDOWS:
        yield case(f"window {window}", lambda: make(window=window), shape)
        yield case(f"window {window}, even length", lambda: make(window=window), (8, 1, 2))
        yield case(f"window {window}, periodic", lambda: make(window=window, periodic=True), (6, 1, 2))
    yield case("window None", lambda: make(window=None), shape)
    yield case("window values", lambda: make(window=[0.5, 1.0, -2.0]), (3, 1, 2))
    yield case("window array", lambda: make(window=np.array([0.5, 1.0, -2.0], "float32")), (3, 1, 2))
    for scaling in ["spectrum", None]:
        yield case(f"scaling {scaling}", lambda: make(scaling=scaling), shape)
    yield case("periodic", lambda: make(periodic=True), shape)
    yield case("even length", make, (6, 1, 3))
    yield case("long", make, (200, 1, 3))


def record():
    clear("initializers")
    kinds = {name: (lambda name=name: scaled(name)) for name in SCALED}
    kinds |= {name: (lambda name=name: random_normal(name)) for name in ("RandomNormal", "TruncatedNormal")}
    kinds |= {
        name: (lambda name=name: over_shapes(getattr(keras.initializers, name), [(), (3,), (2, 2), (1, 2, 0)]))
        for name in ("Zeros", "Ones")
    }
    kinds |= {
        "RandomUniform": random_uniform,
        "VarianceScaling": variance_scaling,
        "Orthogonal": orthogonal,
        "Identity": identity,
        "Constant": constant,
        "STFT": stft,
    }
    for name, cases in kinds.items():
        write("initializers", name, list(cases()))
