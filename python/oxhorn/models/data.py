"""What `fit`, `evaluate` and `predict` are given, made ready for the engine.

Arrays of any kind become flat lists of NumPy arrays of `float32` or `int64`; what gives batches
one after the other becomes a `Stream` of such lists.
"""

from __future__ import annotations

import itertools
import math
import random
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from oxhorn import tree
from oxhorn.models import prefetch
from oxhorn.utils.py_dataset import PyDataset


def as_samples(value: Any, keep_integers: bool = True) -> np.ndarray:
    """An array whose first axis counts samples, as the engine takes it."""
    if value is None:
        raise ValueError("There are no data where an array is needed. Received: None")
    array = to_numpy(value)
    if array.dtype.kind in "OUSV":
        raise ValueError(
            f"Failed to convert a NumPy array of dtype {array.dtype} to a tensor: samples must be "
            "numbers. Encode strings and objects first, for example with `to_categorical`."
        )
    if array.ndim == 0:
        raise ValueError(
            f"Samples need an axis that counts them. Received a single number: {array}"
        )
    integers = array.dtype.kind in "iub" and keep_integers
    return np.require(array, dtype="int64" if integers else "float32", requirements="CA")


def to_numpy(value: Any) -> np.ndarray:
    """A NumPy array of whatever an array can be made of."""
    if isinstance(value, np.ndarray):
        return value
    if hasattr(value, "to_numpy"):  # pandas and polars
        return value.to_numpy()
    if not hasattr(value, "__array__") and hasattr(value, "__dlpack__"):
        return np.from_dlpack(value)
    if hasattr(value, "toarray"):  # SciPy's sparse matrices
        return value.toarray()
    return np.asarray(value)


def is_stream(x: Any) -> bool:
    """Whether it gives batches, as opposed to being arrays."""
    if isinstance(x, (np.ndarray, list, tuple, dict, str)) or x is None:
        return False
    if isinstance(x, PyDataset):
        return True
    if hasattr(x, "__array__") or hasattr(x, "to_numpy") or hasattr(x, "__dlpack__"):
        return False
    if hasattr(x, "toarray"):
        return False
    return hasattr(x, "__next__") or hasattr(x, "__iter__")


class Layout:
    """How the structures of a model's inputs and outputs become flat lists.

    Args:
        flatten_x: gives the flat list of inputs.
        outputs: the names of the outputs.
        integer_inputs: for each input whether integers stay integers.
        nested_y: whether targets come in a list or dictionary, one for each output.
    """

    def __init__(
        self,
        flatten_x: Callable[[Any], list[Any]],
        outputs: list[str],
        integer_inputs: list[bool] | None,
    ) -> None:
        self.flatten_x = flatten_x
        self.outputs = outputs
        self.integer_inputs = integer_inputs

    def x(self, x: Any) -> list[np.ndarray]:
        flat = self.flatten_x(x)
        keep = self.integer_inputs or [True] * len(flat)
        return [as_samples(value, kept) for value, kept in zip(flat, keep)]

    def y(self, y: Any) -> list[np.ndarray | None]:
        """One target for each output, `None` where there is none."""
        if y is None:
            return [None] * len(self.outputs)
        return [None if v is None else as_samples(v) for v in self.each(y, "y")]

    def each(self, value: Any, what: str) -> list[Any]:
        """One value for each output."""
        count = len(self.outputs)
        if isinstance(value, dict):
            unknown = set(value) - set(self.outputs)
            if unknown and not (count == 1 and len(value) == 1):
                raise ValueError(
                    f"Keys of `{what}` must be names of outputs. Received: {sorted(unknown)}. "
                    f"The outputs are {self.outputs}"
                )
            if count == 1 and len(value) == 1:
                return list(value.values())
            return [value.get(name) for name in self.outputs]
        if count == 1:
            nested = isinstance(value, (list, tuple)) and len(value) == 1
            return [value[0]] if nested and np.ndim(value[0]) > 0 else [value]
        if not isinstance(value, (list, tuple)):
            return [value] + [None] * (count - 1)
        if len(value) != count:
            raise ValueError(
                f"The model has {count} outputs, but `{what}` has {len(value)} entries. The "
                f"outputs are {self.outputs}"
            )
        return list(value)

    def weights(self, weights: Any, y: list[np.ndarray | None]) -> list[np.ndarray | None]:
        """The weights of samples for each output; one array serves all of them."""
        if weights is None:
            return [None] * len(self.outputs)
        if isinstance(weights, (list, tuple)) and np.ndim(weights[0]) == 0:
            weights = np.asarray(weights)
        if isinstance(weights, (list, tuple, dict)):
            each = self.each(weights, "sample_weight")
        else:
            each = [weights] * len(self.outputs)
        return [None if w is None else as_samples(w, False) for w in each]


def class_weights(y: np.ndarray, class_weight: dict[Any, float]) -> np.ndarray:
    """The weight of each sample by its class, which is 1 where none is given."""
    if y.ndim > 2:
        raise ValueError(
            f"`class_weight` needs one class for each sample. Received: y.shape={y.shape}"
        )
    if y.ndim == 2 and y.shape[1] > 1:
        classes = np.argmax(y, axis=1)
    else:
        classes = np.round(y.reshape(-1)).astype("int64")
    try:
        weights = {int(key): float(value) for key, value in class_weight.items()}
    except (TypeError, ValueError):
        raise ValueError(
            "`class_weight` must be a dictionary with integer keys and numbers as values. "
            f"Received: {class_weight}"
        ) from None
    return np.array([weights.get(int(label), 1.0) for label in classes], dtype="float32")


def check_cardinality(arrays: dict[str, list[np.ndarray | None]]) -> int:
    """How many samples there are, which all arrays must agree on."""
    sizes = {
        name: [len(array) for array in each if array is not None] for name, each in arrays.items()
    }
    counts = {count for each in sizes.values() for count in each}
    if len(counts) > 1:
        said = "".join(
            f"'{name}' sizes: {', '.join(map(str, each))}\n" for name, each in sizes.items() if each
        )
        raise ValueError(
            "Data cardinality is ambiguous. Make sure all arrays contain the same number of "
            f"samples.{said}"
        )
    return counts.pop() if counts else 0


class Arrays:
    """Arrays that are at hand.

    Args:
        x: the flat inputs.
        y: the target of each output.
        sample_weight: the weights for each output.
    """

    def __init__(
        self,
        x: list[np.ndarray],
        y: list[np.ndarray | None],
        sample_weight: list[np.ndarray | None],
    ) -> None:
        self.x, self.y, self.sample_weight = x, y, sample_weight
        self.rows = check_cardinality({"x": x, "y": y, "sample_weight": sample_weight})

    def weigh_classes(self, class_weight: dict[Any, float] | None) -> None:
        """Weighs the samples by their classes."""
        if class_weight is None:
            return
        if any(weight is not None for weight in self.sample_weight):
            raise ValueError("You cannot `class_weight` and `sample_weight` at the same time.")
        if len(self.y) > 1:
            raise ValueError("`class_weight` is only supported for Models with a single output.")
        self.sample_weight = [class_weights(self.y[0], class_weight)]

    def split(self, share: float) -> tuple[Arrays, Arrays]:
        """Those before the last share of the samples, and the share."""
        if not 0 < share < 1:
            raise ValueError(
                f"`validation_split` must be between 0 and 1, got {share}: it is the share of the "
                "samples that is kept for validation."
            )
        at = math.floor(self.rows * (1.0 - share))
        if at == 0 or at == self.rows:
            raise ValueError(
                f"Training data contains {self.rows} samples, which is not sufficient to split it "
                "into a validation and training set as specified by "
                f"`validation_split={share}`. Either provide more data, or a different value for "
                "the `validation_split` argument."
            )

        def part(rows: slice) -> Arrays:
            cut = [
                [None if a is None else a[rows] for a in each]
                for each in (self.x, self.y, self.sample_weight)
            ]
            return Arrays(*cut)

        return part(slice(0, at)), part(slice(at, None))

    def feed(self, batch_size: int, shuffle: Any, steps: int | None) -> dict[str, Any]:
        """What the engine takes."""
        orders = {True: "samples", False: "off", "batch": "batch"}
        if shuffle not in orders:
            raise ValueError(
                f"`shuffle` must be True, False or 'batch'. Received: shuffle={shuffle}"
            )
        return {
            "x": self.x,
            "y": self.y,
            "sample_weight": self.sample_weight,
            "batch_size": batch_size,
            "shuffle": orders[shuffle],
            "steps": steps or None,
        }


class Stream:
    """Batches that a generator, an iterable or a `PyDataset` gives one after the other.

    As Keras does, a `PyDataset` is told of an end of an epoch before each loop over it, and a
    generator begins each pass with its first two batches again, for those were looked at.

    Args:
        source: gives batches `x`, `(x, y)` or `(x, y, sample_weight)`.
        ready: makes flat lists of a batch.
        shuffle: whether a `PyDataset` is taken in random order.
        steps: the steps of an epoch, if they are not to be a pass over the data.
        look: whether the model has to see a batch before the loop begins.
        restarts: when a `PyDataset` is told of an end before an epoch: never, `"once"`, or for
            `"each"` epoch.
        order: the order of a `PyDataset`'s batches in the first pass, if a run goes on in one.
    """

    def __init__(
        self,
        source: Any,
        ready: Callable[[Any], tuple[list, list, list]],
        shuffle: Any,
        steps: int | None = None,
        look: bool = False,
        restarts: str | None = None,
        order: list[int] | None = None,
    ) -> None:
        self.again = order
        self.order: list[int] | None = None
        self.source = source
        self.ready = ready
        self.shuffle = shuffle
        self.steps = steps
        self.restarts = restarts
        self.indexed = isinstance(source, PyDataset)
        self.batches = self._length()
        self.peeked: list[Any] = []
        self.iterator: Iterator[Any] = iter(())
        self.pending: Any = None
        self.opened = False
        self._peek(look)

    def _length(self) -> int | None:
        try:
            return self.source.num_batches if self.indexed else len(self.source)
        except (TypeError, NotImplementedError):
            return None

    def _iterate(self) -> Iterator[Any]:
        if self.indexed:
            return self._items()
        if hasattr(self.source, "__next__"):
            if not self.peeked:
                self.peeked = list(itertools.islice(self.source, 2))
            return itertools.chain(self.peeked, self.source)
        return iter(self.source)

    def _items(self) -> Iterator[Any]:
        if self.batches is None:
            order: Any = itertools.count()
        else:
            order = list(range(self._length() or 0))
            if self.again is not None:
                order = self.again
            elif self.shuffle:
                random.shuffle(order)
            self.order = list(order)
        return prefetch.batches(self.source, order)

    def _peek(self, look: bool) -> None:
        """Looks at the first batch, which comes again."""
        if look and self.indexed:
            self.source.on_epoch_begin()
            self.first = self._first(self._iterate())
            return
        self._open()
        self.iterator = self._iterate()
        self.pending = self.first = self._first(self.iterator)

    def _first(self, iterator: Iterator[Any]) -> Any:
        try:
            return self.ready(next(iterator))
        except StopIteration:
            raise ValueError(f"The data have no batches: {self.source} gave none.") from None

    def _open(self) -> None:
        """Tells a `PyDataset` that an epoch begins, once."""
        if self.indexed and not self.opened:
            if self.restarts is not None:
                self.source.on_epoch_end()
            if self.restarts == "once":
                self.restarts = None
            self.source.on_epoch_begin()
        self.opened = True

    def begin_epoch(self) -> None:
        """An epoch begins."""
        self._open()

    def end_epoch(self) -> None:
        """The steps of an epoch have been taken."""
        if self.indexed:
            self.source.on_epoch_end()
        self.opened = False

    def begin(self) -> None:
        """A pass begins."""
        if self.pending is None:
            self.iterator = self._iterate()
        self.again = None

    def next(self) -> tuple[list, list, list] | None:
        """The next batch, or `None` when there are no more."""
        if self.pending is not None:
            batch, self.pending = self.pending, None
            return batch
        try:
            return self.ready(next(self.iterator))
        except StopIteration:
            if self.steps is not None:
                warnings.warn(
                    "Your input ran out of data; interrupting training. Make sure that your "
                    "dataset or generator can generate at least `steps_per_epoch * epochs` "
                    "batches. You may need to use the `.repeat()` function when building your "
                    "dataset.",
                    stacklevel=2,
                )
            return None

    def feed(self, steps: int | None) -> dict[str, Any]:
        """What the engine takes."""
        return {"stream": self, "first": self.first, "steps": steps or None}


def unpacked(batch: Any) -> tuple[Any, Any, Any]:
    """Inputs, targets and weights of a batch that a stream gives."""
    if isinstance(batch, list):
        batch = tuple(batch)
    if not isinstance(batch, tuple):
        return batch, None, None
    if len(batch) == 1:
        return batch[0], None, None
    if len(batch) == 2:
        return batch[0], batch[1], None
    if len(batch) == 3:
        return batch
    raise ValueError(
        "Data is expected to be in format `x`, `(x,)`, `(x, y)`, or `(x, y, sample_weight)`. "
        f"Received a tuple of {len(batch)}"
    )


def flat_x(x: Any) -> list[Any]:
    """The inputs of a model of one's own, in the order of their structure."""
    if isinstance(x, list) and x and np.ndim(x[0]) == 0 and not isinstance(x[0], (list, tuple)):
        return [x]
    if isinstance(x, list) and x and isinstance(x[0], (list, tuple)):
        return [x]
    return tree.flatten(x)
