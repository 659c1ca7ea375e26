"""What a layer is built for: the shapes that its `build` is told, and noted for files."""

from __future__ import annotations

import functools
import inspect
from typing import Any

import numpy as np

from oxhorn import tree

# Layers that have nothing to build: those of Keras are built as soon as they are there.
BUILT_AT_ONCE = frozenset(
    """Activation ActivityRegularization AlphaDropout AveragePooling1D AveragePooling2D
    AveragePooling3D DropBlock1D DropBlock2D DropPath Dropout ELU GaussianDropout GaussianNoise
    GlobalAveragePooling1D GlobalAveragePooling2D GlobalAveragePooling3D GlobalMaxPooling1D
    GlobalMaxPooling2D GlobalMaxPooling3D Identity LeakyReLU Masking MaxPooling1D MaxPooling2D
    MaxPooling3D ReLU Reshape Softmax SpatialDropout1D SpatialDropout2D SpatialDropout3D
    Temperature UnitNormalization""".split()
)


def noting_shapes(build: Any) -> Any:
    """A layer's `build` that notes what it is told, and then that the layer is built."""
    signature = inspect.signature(build)

    @functools.wraps(build)
    def noting(self: Any, *args: Any, **kwargs: Any) -> Any:
        result = build(self, *args, **kwargs)
        # What a subclass calls by `super().build(...)` is no end of it.
        if type(self).build is noting:
            given = dict(signature.bind(self, *args, **kwargs).arguments)
            given.pop(next(iter(signature.parameters)))
            self._build_shapes = given
            self.built = True
        return result

    return noting


def build_arguments(layer: Any, args: tuple, kwargs: dict[str, Any]) -> dict[str, Any]:
    """The shapes that `build` is told for a call with these arguments, by its parameters.

    One parameter takes the shape of the first argument. Of several, each takes that of the
    argument it is named after: `query_shape` is the shape of `query`.
    """
    wanted = list(inspect.signature(layer.build).parameters)
    if len(wanted) != 1:
        given = inspect.signature(layer.call).bind(*args, **kwargs).arguments
        shapes = {f"{name}_shape": _shapes_of(value) for name, value in given.items()}
        if wanted and set(wanted) <= set(shapes):
            return {name: shapes[name] for name in wanted}
    inputs = args[0] if args else next(iter(kwargs.values()), None)
    return {wanted[0] if wanted else "input_shape": _shapes_of(inputs)}


def _shapes_of(inputs: Any) -> Any:
    return tree.map_structure(
        lambda x: tuple(x.shape) if hasattr(x, "shape") else np.shape(x), inputs
    )


def as_shapes(shapes: Any) -> Any:
    """A shape, or a structure of shapes, as files have them: with lists in place of tuples."""
    if is_shape(shapes):
        return tuple(shapes)
    return tree.map_shape_structure(tuple, shapes)


def is_shape(value: Any) -> bool:
    """Whether this is the shape of one tensor."""
    return isinstance(value, (list, tuple)) and all(
        extent is None or isinstance(extent, (int, np.integer)) for extent in value
    )


def opened(shapes: Any) -> Any:
    """The shapes with an open first axis, where they were noted for a batch of some size."""
    if shapes is None:
        return None
    return tree.map_shape_structure(lambda shape: (None, *shape[1:]) if shape else shape, shapes)
