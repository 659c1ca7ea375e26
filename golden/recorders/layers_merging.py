"""keras.layers that take several inputs: Add, Average, Concatenate, Dot, Maximum, Minimum, Multiply, Subtract."""

import keras
import numpy as np

from .common import normal
from .layers import case


def several(name, *shapes):
    return [normal(shape, name, i, shape) for i, shape in enumerate(shapes)]


def elementwise(make, most):
    """The cases of a layer of `most` inputs or fewer, all of which it joins element by element."""

    def cases():
        name = make.__name__
        yield case("two inputs", make, several(name, (2, 5), (2, 5)))
        if most > 2:
            yield case("one input", make, several(name, (2, 3)))
            yield case("three inputs", make, several(name, (2, 3), (2, 3), (2, 3)))
            yield case("three shapes", make, several(name, (2, 1, 3), (2, 3), (2, 5, 1)))
        yield case("extents of 1", make, several(name, (2, 3, 1), (2, 1, 4)))
        yield case("fewer axes", make, several(name, (2, 5, 3), (2, 3)))
        yield case("fewer axes first", make, several(name, (2, 1), (2, 2, 3, 5)), unknown=(0, 1))
        yield case("one axis", make, several(name, (7,), (7,)))
        yield case("one number", make, several(name, (1, 1), (1, 1)))
        yield case("unknown axis", make, several(name, (2, 3, 4), (2, 3, 4)), unknown=(0, 1))
        yield case("equal numbers", make, [np.ones((2, 3), "float32"), np.ones((2, 3), "float32")])
        yield case("twice the same", make, [normal((2, 3), name, "same")] * 2)
        integers = [np.arange(-3, 3, dtype="int32").reshape(2, 3), np.full((2, 3), 2, "int32")]
        yield case("integers", make, integers)
        yield case("named", lambda: make(name="joint", trainable=False), several(name, (2, 3), (2, 3)))

    return cases


def concatenate():
    make = keras.layers.Concatenate
    for axis, shapes in [
        (-1, [(2, 3), (2, 5)]),
        (1, [(2, 3), (2, 1), (2, 4)]),
        (1, [(2, 3, 4), (2, 5, 4)]),
        (2, [(2, 3, 4), (2, 3, 1)]),
        (-2, [(2, 1, 3), (2, 5, 3)]),
        (0, [(2, 3), (1, 3)]),
        (-1, [(7,), (2,)]),
    ]:
        shapes_text = ", ".join(map(str, map(list, shapes)))
        unknown = () if axis == 0 or len(shapes[0]) == 1 else (0,)
        yield case(f"axis {axis} of {shapes_text}", lambda: make(axis=axis), several("concatenate", *shapes), unknown)
    yield case("default", make, several("concatenate", (2, 3), (2, 2)))
    yield case("one input", make, several("concatenate", (2, 3)))
    yield case("unknown axis", lambda: make(axis=1), several("concatenate", (2, 3, 4), (2, 1, 4)), unknown=(0, 1))
    yield case("integers", make, [np.arange(6, dtype="int32").reshape(2, 3), np.zeros((2, 1), "int32")])


def dot():
    make = keras.layers.Dot
    for axes, shapes in [
        (1, [(3, 5), (3, 5)]),
        (-1, [(2, 3), (2, 3)]),
        (2, [(2, 5, 3), (2, 4, 3)]),
        (1, [(2, 3, 5), (2, 3, 4)]),
        (-1, [(2, 5, 3), (2, 4, 3)]),
        ((1, 2), [(2, 3, 5), (2, 7, 3)]),
        ((2, 1), [(2, 5, 3), (2, 3, 4)]),
        ((1, 2), [(2, 3), (2, 4, 3)]),
        ((2, 1), [(2, 4, 3), (2, 3)]),
        ((-1, -2), [(2, 4, 3), (2, 3, 2)]),
        ((2, 1), [(2, 5, 3, 4), (2, 3, 7, 2)]),
        ((3, 3), [(1, 2, 2, 3), (1, 3, 2, 3)]),
        ((1, 1), [(2, 1), (2, 1)]),
    ]:
        shapes_text = ", ".join(map(str, map(list, shapes)))
        for normalize in (False, True):
            suffix = ", normalized" if normalize else ""
            yield case(
                f"axes {plain_axes(axes)} of {shapes_text}{suffix}",
                lambda: make(axes=axes, normalize=normalize),
                several("dot", *shapes),
            )
    yield case("twice the same, normalized", lambda: make(1, normalize=True), [normal((2, 5), "dot same")] * 2)


def plain_axes(axes):
    return axes if isinstance(axes, int) else list(axes)


LAYERS = [
    ("Add", elementwise(keras.layers.Add, 3)),
    ("Average", elementwise(keras.layers.Average, 3)),
    ("Concatenate", concatenate),
    ("Dot", dot),
    ("Maximum", elementwise(keras.layers.Maximum, 3)),
    ("Minimum", elementwise(keras.layers.Minimum, 3)),
    ("Multiply", elementwise(keras.layers.Multiply, 3)),
    ("Subtract", elementwise(keras.layers.Subtract, 2)),
]
