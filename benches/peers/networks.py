"""The networks that all peers train, as data."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np


@dataclass(frozen=True)
class Network:
    """Dense layers with relu, dropout behind each and before the first; softmax over classes."""

    inputs: int
    hidden: tuple[int, ...]
    classes: int
    dropout_of_inputs: float
    dropout: float
    batch: int
    # In a turn: enough that what happens once in an epoch does not count.
    steps: int

    @property
    def flops(self) -> int:
        """Of the matrix products of a training step: a multiply-add is two.

        Nobody needs the gradient of the first layer's input, so it is not counted.
        """
        widths = [self.inputs, *self.hidden, self.classes]
        weights = [above * below for above, below in zip(widths, widths[1:])]
        return 2 * self.batch * (3 * sum(weights) - weights[0])

    def numbers(self) -> list[str]:
        """All of it, as the program in `rust` takes it."""
        hidden = ",".join(map(str, self.hidden))
        rates = [self.dropout_of_inputs, self.dropout]
        return list(map(str, [self.inputs, hidden, self.classes, *rates, self.batch, self.steps]))

    def data(self) -> tuple[np.ndarray, np.ndarray]:
        """Samples between 0 and 1, and classes as one-hot rows: enough for a turn."""
        import numpy as np

        random = np.random.default_rng(812)
        samples = self.batch * self.steps
        x = random.random((samples, self.inputs), dtype=np.float32)
        y = np.eye(self.classes, dtype=np.float32)[random.integers(self.classes, size=samples)]
        return x, y


TUTORIAL = Network(25, (64, 64), 5, 0.0, 0.4, batch=32, steps=250)
MLP = Network(784, (1024, 1024, 1024), 10, 0.2, 0.5, batch=128, steps=16)

NETWORKS = {
    "tutorial": TUTORIAL,
    "mlp": MLP,
    "deep": Network(64, (64,) * 99, 64, 0.0, 0.0, batch=32, steps=20),
    "mlp-plain": replace(MLP, dropout_of_inputs=0.0, dropout=0.0),
}
