"""`InputSpec`: what a layer expects of its input, and the check of it."""

from __future__ import annotations

from typing import Any

from oxhorn import tree


class InputSpec:
    """What is expected of an input; `None` where anything will do.

    Args:
        dtype: the type of the elements.
        shape: the extent of each axis, `None` where it is open.
        ndim: the number of axes.
        max_ndim: the greatest number of axes.
        min_ndim: the least number of axes.
        axes: the extents of certain axes: `{-1: 8}`.
        allow_last_axis_squeeze: whether a last axis of extent 1 may be missing, or too many.
        name: the key of the input where inputs come in a dictionary.
        optional: whether the input may be `None`.
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: Any = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ) -> None:
        self.dtype = None if dtype is None else str(dtype)
        self.shape = None if shape is None else tuple(shape)
        self.ndim = ndim if shape is None else len(self.shape or ())
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        self.name = name
        self.optional = optional
        try:
            self.axes = {int(axis): extent for axis, extent in (axes or {}).items()}
        except (AttributeError, TypeError, ValueError):
            raise TypeError(
                f"Argument `axes` must be a dict with integer keys. Received: axes={axes}"
            ) from None
        most = self.ndim if self.ndim is not None else self.max_ndim
        if self.axes and most is not None and max(self.axes) > most - 1:
            raise ValueError(
                f"Axis {max(self.axes)} is greater than the maximum allowed value: {most - 1}"
            )

    def __repr__(self) -> str:
        names = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes")
        said = [f"{name}={value}" for name in names if (value := getattr(self, name))]
        return f"InputSpec({', '.join(said)})"

    def get_config(self) -> dict[str, Any]:
        """The settings as a dictionary that `from_config` takes."""
        names = ("dtype", "shape", "ndim", "max_ndim", "min_ndim", "axes", "optional")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> InputSpec:
        """The expectation with these settings."""
        return cls(**config)

    def complaint(self, x: Any) -> str | None:
        """What is wrong with an input, if anything is."""
        shape = tuple(x.shape)
        ndim = len(shape)
        full = f"Full shape received: {shape}"
        if self.ndim not in (None, ndim) and not self.allow_last_axis_squeeze:
            return f"expected ndim={self.ndim}, found ndim={ndim}. {full}"
        if self.max_ndim is not None and ndim > self.max_ndim:
            return f"expected max_ndim={self.max_ndim}, found ndim={ndim}"
        if self.min_ndim is not None and ndim < self.min_ndim:
            return f"expected min_ndim={self.min_ndim}, found ndim={ndim}. {full}"
        if self.dtype not in (None, str(x.dtype)):
            return f"expected dtype={self.dtype}, found dtype={x.dtype}"
        for axis, extent in self.axes.items():
            if extent is not None and shape[axis] not in (extent, None):
                return (
                    f"expected axis {axis} of input shape to have value {extent}, but received "
                    f"input with shape {shape}"
                )
        return self._shape_complaint(shape)

    def _shape_complaint(self, shape: tuple[int | None, ...]) -> str | None:
        wanted = self.shape
        if wanted is None:
            return None
        if self.allow_last_axis_squeeze:
            shape, wanted = (s[:-1] if s and s[-1] == 1 else s for s in (shape, wanted))
        if any(a is not None and b is not None and a != b for a, b in zip(wanted, shape)):
            return f"expected shape={self.shape}, found shape={shape}"
        return None


def check_input(spec: Any, inputs: Any, layer_name: str) -> None:
    """Refuses inputs that are not what a layer expects.

    Args:
        spec: an `InputSpec`, or a structure of such, one for each input.
        inputs: the input or inputs.
        layer_name: the name of the layer.
    """
    specs = tree.flatten(spec)
    names = [one.name for one in specs if one is not None]
    is_named = len(names) == len(specs) and all(names)
    if isinstance(inputs, dict) and is_named:
        for name in names:
            if name not in inputs:
                raise ValueError(
                    f'Missing data for input "{name}". You passed a data dictionary with keys '
                    f"{list(inputs)}. Expected the following keys: {names}"
                )
        inputs = [inputs[name] for name in names]
    flat = tree.flatten(inputs)
    if len(flat) != len(specs):
        if is_named:
            example = ", ".join(f"'{name}': ..." for name in names)
            raise ValueError(
                f'Layer "{layer_name}" expects {len(specs)} named input(s) with keys {names}, but '
                f"it received {len(flat)} input tensors. Pass inputs as a dict, e.g. "
                f"`layer({{{example}}})`."
            )
        raise ValueError(
            f'Layer "{layer_name}" expects {len(specs)} input(s), but it received {len(flat)} '
            f"input tensors. Inputs received: {flat}"
        )
    for index, (x, one) in enumerate(zip(flat, specs)):
        if one is None or (x is None and one.optional):
            continue
        if not hasattr(x, "shape"):
            raise ValueError(
                f"Inputs to a layer should be tensors. Got '{x}' (of type {type(x)}) as input for "
                f"layer '{layer_name}'."
            )
        wrong = one.complaint(x)
        if wrong is not None:
            raise ValueError(
                f"Input {index} with name '{one.name}' of layer '{layer_name}' is incompatible "
                f"with the layer: {wrong}"
            )


# What Rust's layers expect, by the names of their classes, as in Keras.
AXES = {
    2: ("RepeatVector",),
    3: """Cropping1D GlobalAveragePooling1D GlobalMaxPooling1D SpatialDropout1D UpSampling1D
    ZeroPadding1D""".split(),
    4: """Cropping2D GlobalAveragePooling2D GlobalMaxPooling2D SpatialDropout2D UpSampling2D
    ZeroPadding2D""".split(),
    5: ("SpatialDropout3D",),
}
SPECS = {name: InputSpec(ndim=ndim) for ndim, names in AXES.items() for name in names}
SPECS["Flatten"] = InputSpec(min_ndim=1)
SPECS["Dense"] = InputSpec(min_ndim=2)
