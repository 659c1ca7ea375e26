"""keras.layers that move elements: Permute, RepeatVector, Cropping1D/2D, ZeroPadding1D/2D, UpSampling1D/2D."""

import keras
import numpy as np

from .common import normal
from .layers import case

SEQUENCE, IMAGE = normal((2, 7, 3), "reshaping sequence"), normal((2, 5, 4, 3), "reshaping image")
INTEGERS = np.arange(48, dtype="int32").reshape(1, 4, 4, 3)


def permute():
    make = keras.layers.Permute
    for dims, x in [
        ((1,), normal((2, 3), "permute x2")),
        ((1, 2), SEQUENCE),
        ((2, 1), SEQUENCE),
        ((3, 1, 2), IMAGE),
        ((2, 3, 1), IMAGE),
        ([3, 2, 1], IMAGE),
        ((2, 1), normal((1, 1, 5), "permute x1")),
    ]:
        yield case(f"dims {list(dims)} of {list(x.shape)}", lambda: make(dims), x)
    yield case("unknown axis", lambda: make((2, 1)), SEQUENCE, unknown=(0, 1))
    yield case("no axes", lambda: make(()), normal((5,), "permute x0"))
    yield case("integers", lambda: make((2, 1, 3)), INTEGERS)


def repeat_vector():
    make = keras.layers.RepeatVector
    for n in [1, 2, 7]:
        yield case(f"n {n}", lambda: make(n), normal((3, 5), "repeat x"))
    yield case("one feature", lambda: make(3), normal((2, 1), "repeat x1"))
    yield case("integers", lambda: make(2), np.arange(6, dtype="int32").reshape(2, 3))


def one_axis(make, setting):
    def cases():
        yield case("default", make, SEQUENCE)
        for value in [0, 2, (0, 0), (3, 0), (0, 4), [1, 2]]:
            yield case(f"{setting} {value}", lambda: make(value), SEQUENCE)
        yield case("unknown axis", lambda: make((1, 2)), SEQUENCE, unknown=(0, 1))
        yield case("one feature", lambda: make((2, 1)), normal((1, 5, 1), "margins x1"))
        yield case("integers", lambda: make(1), INTEGERS[0])

    return cases


def two_axes(make, setting):
    def cases():
        yield case("default", make, IMAGE)
        for value in [0, 1, (2, 1), (0, 1), ((1, 2), (0, 1)), ((0, 0), (2, 0)), [[0, 3], [0, 0]], (1, (2, 1))]:
            yield case(f"{setting} {value}", lambda: make(value), IMAGE)
        yield case("channels_first", lambda: make(((1, 2), (0, 1)), data_format="channels_first"), IMAGE)
        yield case("channels_last", lambda: make(((1, 2), (0, 1)), data_format="channels_last"), IMAGE)
        yield case("unknown axes", lambda: make((1, 1)), IMAGE, unknown=(0, 1, 2))
        yield case("integers", lambda: make(1), INTEGERS)

    return cases


def zero_padding1d():
    make = keras.layers.ZeroPadding1D
    yield from one_axis(make, "padding")()
    yield case("channels_first", lambda: make((1, 2), data_format="channels_first"), SEQUENCE)


def up_sampling1d():
    make = keras.layers.UpSampling1D
    yield case("default", make, SEQUENCE)
    for size in [1, 3]:
        yield case(f"size {size}", lambda: make(size), SEQUENCE)
    yield case("unknown axis", make, SEQUENCE, unknown=(0, 1))
    yield case("one step", lambda: make(5), normal((1, 1, 1), "upsampling x1"))
    yield case("integers", make, INTEGERS[0])


def up_sampling2d():
    make = keras.layers.UpSampling2D
    x = normal((2, 2, 3, 1), "upsampling x2")
    yield case("default", make, x)
    for size in [1, 3, (1, 2), (3, 1), [2, 3]]:
        yield case(f"size {size}", lambda: make(size), x)
    for data_format in ["channels_first", "channels_last"]:
        yield case(data_format, lambda: make((2, 3), data_format=data_format), x)
    yield case("unknown axes", make, x, unknown=(0, 1, 2))
    yield case("integers", make, INTEGERS)


LAYERS = [
    ("Permute", permute),
    ("RepeatVector", repeat_vector),
    ("Cropping1D", one_axis(keras.layers.Cropping1D, "cropping")),
    ("Cropping2D", two_axes(keras.layers.Cropping2D, "cropping")),
    ("ZeroPadding1D", zero_padding1d),
    ("ZeroPadding2D", two_axes(keras.layers.ZeroPadding2D, "padding")),
    ("UpSampling1D", up_sampling1d),
    ("UpSampling2D", up_sampling2d),
]
