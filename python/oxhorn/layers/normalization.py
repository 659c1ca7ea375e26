"""`Normalization`, which can learn mean and variance from data."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from typing import Any

import numpy as np

from oxhorn._generated import layers as generated
from oxhorn._tensor import Tensor
from oxhorn.layers.layer import Layer
from oxhorn.utils.py_dataset import PyDataset

# Keras' epsilon: a standard deviation below it counts as it.
LEAST = 1e-7


class Normalization(generated.Normalization):
    """Subtracts the mean and divides by the standard deviation: `(x - mean) / √variance`, or with
    `invert` the reverse: `mean + x · √variance`. A standard deviation below 10⁻⁷ counts as that.

    Mean and variance are given, or learned from data by `adapt`.

    Weights, if they are learned:
        - `mean`: the extents of `x` along `axis`; not trainable
        - `variance`: the same
        - `count`: `[]`; kept for Keras' files, it stays 0

    Args:
        axis: The axis or axes whose every index has a mean and a variance of its own; of none,
            or an empty list, there is one of each for all.
        mean: The mean: a number, or an array of them along the axes in ascending order. It is
            repeated along leading axes.
        variance: The variance, of the same shape.
        invert: Whether to turn what was normalized into what it was.
        **kwargs: What all layers take: `activity_regularizer`, `trainable`, `dtype`,
            `autocast`, `name`.
    """

    def _configure(self, **settings: Any) -> None:
        axis = settings["axis"]
        axes = () if axis is None else (axis,) if isinstance(axis, int) else tuple(axis)
        self.input_mean, self.input_variance = (
            None if settings[name] is None else np.asarray(settings[name], "float32")
            for name in ("mean", "variance")
        )
        self._shape: tuple[int | None, ...] | None = None
        super()._configure(**{**settings, "axis": axes})

    def _check(self) -> None:
        # Rust needs both to be given, and says so if one is.
        if self.input_mean is not None or self.input_variance is not None:
            super()._check()

    def _settings(self) -> dict[str, Any]:
        given = {"mean": self.input_mean, "variance": self.input_variance}
        lists = {name: None if it is None else it.tolist() for name, it in given.items()}
        return {"axis": list(self.axis), **lists, "invert": self.invert}

    def get_config(self) -> dict[str, Any]:
        return {**Layer.get_config(self), **self._settings(), "axis": self.axis}

    # What is known of the data ------------------------------------------------------------------

    @property
    def mean(self) -> Any:
        """The mean, as many axes as the input has; `None` before the layer is built."""
        return self._laid("mean")

    @mean.setter
    def mean(self, value: Any) -> None:
        """The setting is kept as `input_mean`."""

    @property
    def variance(self) -> Any:
        """The variance, as many axes as the input has; `None` before the layer is built."""
        return self._laid("variance")

    @variance.setter
    def variance(self, value: Any) -> None:
        """The setting is kept as `input_variance`."""

    def _laid(self, name: str) -> Any:
        """Mean or variance along the axes of the input: a tensor while a model is traced."""
        from oxhorn import ops

        if self._shape is None:
            return None
        shape = [n if i in self._kept else 1 for i, n in enumerate(self._shape)]
        if self.input_mean is None:
            return ops.reshape(getattr(self, f"adapt_{name}").value, shape)
        given = getattr(self, f"input_{name}")
        laid = [1] * len(shape)
        for axis, extent in zip(reversed(self._kept), reversed(given.shape)):
            laid[axis] = extent
        return np.broadcast_to(given.reshape(laid), shape)

    def _make_variables(self, shapes: Any) -> None:
        if self._made:
            return
        ndim = len(shapes)
        if any(not -ndim <= axis < ndim for axis in self.axis):
            raise ValueError(
                "All `axis` values must be in the range [-ndim, ndim). Received inputs with "
                f"ndim={ndim}, while axis={self.axis}"
            )
        self._kept = tuple(sorted(axis % ndim for axis in self.axis))
        self._reduced = tuple(axis for axis in range(ndim) if axis not in self._kept)
        for axis in self._kept:
            if shapes[axis] is None:
                raise ValueError(
                    "All `axis` values to be kept must have a known shape. Received "
                    f"axis={self.axis}, inputs.shape={shapes}, with unknown axis at index {axis}"
                )
        self._shape = tuple(shapes)
        if self.input_mean is not None:
            super()._make_variables(shapes)
            return
        kept = [shapes[axis] for axis in self._kept]
        weights = (("mean", kept, "zeros", None), ("variance", kept, "ones", None))
        for name, shape, first, dtype in (*weights, ("count", (), "zeros", "int32")):
            weight = self.add_weight(
                name=name, shape=shape, initializer=first, dtype=dtype, trainable=False
            )
            self.__dict__[name if name == "count" else f"adapt_{name}"] = weight
        self._made = True

    def compute_output_spec(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        if self.input_mean is not None:
            return super().compute_output_spec(inputs, *args, **kwargs)
        return Layer.compute_output_spec(self, inputs, *args, **kwargs)

    def call(self, inputs: Any, training: bool = False) -> Any:
        if self.input_mean is not None:
            return super().call(inputs, training)
        from oxhorn import ops

        x = ops.cast(inputs, "float32")
        deviation = ops.maximum(ops.sqrt(self.variance), LEAST)
        return self.mean + x * deviation if self.invert else (x - self.mean) / deviation

    # Learning -----------------------------------------------------------------------------------

    def adapt(self, data: Any) -> None:
        """Learns mean and variance from data, in place of those that it had.

        Args:
            data: an array, or what gives batches: an iterable of arrays, or a `PyDataset`.
        """
        if isinstance(data, Tensor) or not _is_iterable(data):
            raise TypeError(
                f"Unsupported data type: {type(data)}. `adapt` supports `np.ndarray`, "
                "`keras.utils.PyDataset`, and iterables of batches (e.g. list, generator)."
            )
        if hasattr(data, "__array__"):
            whole = np.asarray(data)
            self._begin(whole.shape)
            mean, variance = whole.mean(axis=self._reduced), whole.var(axis=self._reduced)
        else:
            mean, variance = self._moments_of_batches(_batches(data))
        self.adapt_mean.assign(mean)
        self.adapt_variance.assign(variance)

    def _begin(self, shape: tuple[int, ...]) -> None:
        """Makes the weights, or checks that they fit data of this shape."""
        if self.input_mean is not None:
            raise ValueError(
                "`adapt` learns mean and variance, but this layer was given both. Leave out "
                f"`mean` and `variance`. Received: mean={self.input_mean.tolist()}"
            )
        if not self.built:
            self.build(shape)
        expected = self._shape or ()
        if any(shape[axis] != expected[axis] for axis in self._kept):
            raise ValueError(
                f"The layer was built with input_shape={expected}, but adapt() is being called "
                f"with data with an incompatible shape, data.shape={shape}"
            )

    def _moments_of_batches(self, batches: Iterable[Any]) -> tuple[np.ndarray, np.ndarray]:
        """Mean and variance over batches: each brings its own, and how far off its mean is."""
        rest = iter(batches)
        first = next(rest, None)
        if first is None:
            raise ValueError(
                "adapt() received an empty iterable (no batches). Expected at least one batch. "
                "Pass a non-empty iterable of arrays or tensors, e.g. layer.adapt([x]) or "
                "layer.adapt(list_of_batches)."
            )
        if not hasattr(first, "shape"):
            raise TypeError(
                "adapt() expects an iterable that yields arrays or tensors with a `.shape` "
                "attribute (e.g. numpy arrays or backend tensors). Got an element of type "
                f"{type(first).__name__}. Ensure each yielded element is array-like with a "
                "`.shape` attribute."
            )
        self._begin(tuple(first.shape))
        count, mean, variance = 0, np.float64(0.0), np.float64(0.0)
        for batch in itertools.chain([first], rest):
            batch = np.asarray(batch, "float64")
            if any(batch.shape[axis] != (self._shape or ())[axis] for axis in self._kept):
                raise ValueError(
                    "adapt() yielded a batch with incompatible shape. Expected "
                    f"{self._shape}, got {batch.shape}."
                )
            size = math.prod(batch.shape[axis] for axis in self._reduced)
            count += size
            share = size / count
            old, mean = mean, mean + (batch.mean(axis=self._reduced) - mean) * share
            apart = batch.var(axis=self._reduced) + (batch.mean(axis=self._reduced) - mean) ** 2
            variance = (variance + (old - mean) ** 2) * (1.0 - share) + apart * share
        return mean, variance


def _is_iterable(data: Any) -> bool:
    return isinstance(data, PyDataset) or hasattr(data, "__array__") or hasattr(data, "__iter__")


def _batches(data: Any) -> Iterable[Any]:
    """The inputs of each batch, without targets."""
    batches = (data[i] for i in range(data.num_batches)) if isinstance(data, PyDataset) else data
    return (batch[0] if isinstance(batch, tuple) else batch for batch in batches)
