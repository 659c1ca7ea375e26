"""`CategoryEncoding` and `Discretization`: integers and numbers as categories."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np

from oxhorn.layers.layer import Layer

MODES = ("count", "one_hot", "multi_hot")


def encoded(x: Any, mode: str, depth: int, weights: Any = None) -> Any:
    """Categories as numbers, as `mode` says.

    Args:
        x: integers from 0 to `depth`, those of a sample along the last axis.
        mode: `"int"` leaves them as they are; `"one_hot"` has a 1 at each one's place,
            `"multi_hot"` one 1 for each that a sample has, `"count"` how often it has it.
        depth: how many categories there are.
        weights: what each integer counts.
    """
    from oxhorn import ops

    if mode == "int":
        return x
    if len(x.shape) == 0:
        x = ops.expand_dims(x, -1)
    if mode == "one_hot" and len(x.shape) > 1 and x.shape[-1] == 1:
        x = ops.squeeze(x, -1)
    hot = ops.one_hot(ops.cast(x, "int32"), depth)
    # Integers along the second axis are those of one sample; without it, all are.
    axis = 1 if len(x.shape) > 1 else 0
    if mode == "multi_hot":
        return ops.max(hot, axis=axis)
    if mode == "count":
        hot = hot if weights is None else hot * ops.expand_dims(weights, -1)
        return ops.sum(hot, axis=axis)
    return hot


class CategoryEncoding(Layer):
    """Turns integers, the numbers of categories, into vectors.

    Args:
        num_tokens: how many categories there are.
        output_mode: `"one_hot"` gives each integer a vector with a 1 at its place; `"multi_hot"`
            each sample a vector with a 1 at the place of each integer along its last axis, and
            `"count"` one of how often each is there.
        sparse: not supported.
        **kwargs: What all layers take: `activity_regularizer`, `trainable`, `dtype`,
            `autocast`, `name`.
    """

    def __init__(
        self,
        num_tokens: int | None = None,
        output_mode: str = "multi_hot",
        sparse: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        output_mode = "multi_hot" if output_mode == "binary" else output_mode
        if output_mode not in MODES:
            raise ValueError(f"Unknown arg for output_mode: {output_mode}")
        if num_tokens is None:
            raise ValueError(
                "num_tokens must be set to use this layer. If the number of tokens is not known "
                "beforehand, use the IntegerLookup layer instead."
            )
        if num_tokens < 1:
            raise ValueError(f"`num_tokens` must be >= 1. Received: num_tokens={num_tokens}.")
        _refuse_sparse("CategoryEncoding", sparse)
        self.num_tokens = num_tokens
        self.output_mode = output_mode

    def call(self, inputs: Any, count_weights: Any = None) -> Any:
        if count_weights is not None and self.output_mode != "count":
            raise ValueError(
                "`count_weights` is not used when `output_mode` is not `'count'`. Received "
                f"`count_weights={count_weights}`."
            )
        return encoded(inputs, self.output_mode, self.num_tokens, count_weights)

    def get_config(self) -> dict[str, Any]:
        own = {"num_tokens": self.num_tokens, "output_mode": self.output_mode}
        return {**super().get_config(), **own}


class Discretization(Layer):
    """Turns numbers into the numbers of the intervals that they lie in.

    The boundaries are given, or learned from data by `adapt`: quantiles then, so that about as
    many numbers lie in each interval.

    Args:
        bin_boundaries: where one interval ends and the next begins: a number that equals a
            boundary lies in the interval behind it.
        num_bins: how many intervals `adapt` is to find.
        epsilon: how exact the quantiles are: data are summarized by `1/epsilon` numbers.
        output_mode: `"int"`, or an `output_mode` of `CategoryEncoding`.
        sparse: not supported.
        dtype: the type of results.
        name: the name of the layer.
    """

    def __init__(
        self,
        bin_boundaries: Any = None,
        num_bins: int | None = None,
        epsilon: float = 0.01,
        output_mode: str = "int",
        sparse: bool = False,
        dtype: Any = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        _refuse_sparse("Discretization", sparse)
        if output_mode not in ("int", *MODES):
            raise ValueError(
                f"Unknown argument for `output_mode`: expected one of {('int', *MODES)}. "
                f"Received: output_mode={output_mode}"
            )
        if num_bins is not None and num_bins < 0:
            raise ValueError(
                f"`num_bins` must be greater than or equal to 0. Received: `num_bins={num_bins}`"
            )
        if num_bins is not None and bin_boundaries is not None:
            raise ValueError(
                "Both `num_bins` and `bin_boundaries` should not be set. Received: "
                f"`num_bins={num_bins}` and `bin_boundaries={bin_boundaries}`"
            )
        if num_bins is None and bin_boundaries is None:
            raise ValueError("You need to set either `num_bins` or `bin_boundaries`.")
        self.bin_boundaries = bin_boundaries
        self.num_bins = num_bins
        self.epsilon = epsilon
        self.output_mode = output_mode
        self.sparse = sparse

    def _settings_fingerprint(self) -> tuple[float, ...]:
        """What calls that were compiled with other boundaries differ by."""
        return tuple(float(x) for x in self.bin_boundaries or ())

    def call(self, inputs: Any) -> Any:
        from oxhorn import ops

        if self.bin_boundaries is None:
            raise ValueError(
                "You need to either pass the `bin_boundaries` argument at construction time or "
                "call `adapt(dataset)` before you can start using the `Discretization` layer."
            )
        edges = np.asarray(self.bin_boundaries, "float32")
        beyond = ops.greater_equal(ops.expand_dims(inputs, -1), edges)
        bins = ops.sum(ops.cast(beyond, "int32"), axis=-1)
        return encoded(bins, self.output_mode, len(edges) + 1)

    def adapt(self, data: Any, steps: int | None = None) -> None:
        """Learns the boundaries from data: an array, or batches of which `steps` are taken."""
        if self.num_bins is None:
            raise ValueError(
                "Cannot adapt a Discretization layer that has been initialized with "
                "`bin_boundaries`, use `num_bins` instead."
            )
        summary = np.zeros((2, 0), "float32")
        for batch in [data] if hasattr(data, "__array__") else islice(data, steps):
            both = np.concatenate((summarized(batch, self.epsilon), summary), axis=1)
            summary = compressed(both[:, np.argsort(both[0])], self.epsilon)
        self.bin_boundaries = compressed(summary, 1.0 / self.num_bins)[0, :-1].tolist()

    def get_config(self) -> dict[str, Any]:
        names = ("bin_boundaries", "num_bins", "epsilon", "output_mode", "sparse", "name", "dtype")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Discretization:
        """The layer with these settings; one that was adapted has boundaries and their number."""
        boundaries = config.get("bin_boundaries")
        if config.get("num_bins") is None:
            return cls(**config)
        layer = cls(**{**config, "bin_boundaries": None})
        layer.bin_boundaries = boundaries
        return layer


def summarized(values: Any, epsilon: float) -> np.ndarray:
    """Some of the values in ascending order, and how many of all each stands for."""
    ordered = np.sort(np.ravel(np.asarray(values, "float32")))
    step = max(ordered.size * epsilon, 1.0)
    some = ordered[int(step - 1) :: int(step)]
    return np.stack([some, np.full_like(some, step)])


def compressed(summary: np.ndarray, epsilon: float) -> np.ndarray:
    """A summary of `1/epsilon` values at most, between which the counts are taken to be even."""
    values, counts = summary
    if values.size * epsilon < 1:
        return summary
    shares = epsilon + np.arange(0.0, 1.0, epsilon)
    below = counts.cumsum()
    values = np.interp(shares, below / below[-1], values)
    counts = np.diff(np.interp(shares, below / below[-1], below), prepend=0)
    return np.stack((values, counts)).astype("float32")


def _refuse_sparse(layer: str, sparse: bool) -> None:
    if sparse:
        raise NotImplementedError(
            f"Argument `sparse` of `{layer}` is not supported by Oxhorn. Received: sparse={sparse}"
        )
