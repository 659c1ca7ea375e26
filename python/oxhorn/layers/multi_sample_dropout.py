"""`MultiSampleDropout`: several masks at once in front of the last layer."""

from __future__ import annotations

import json
from typing import Any

from oxhorn import _native, tree
from oxhorn._generated.layers import Dropout
from oxhorn.layers.layer import Layer
from oxhorn.layers.wrapper import Wrapper


class MultiSampleDropout(Wrapper):
    """A layer around the last one of a network, or around a `Sequential` of its last ones.

    While training, that is called on its input under `samples` dropout masks, with the same
    weights each time. The output is the mean of what it gives; the loss, where this is the
    network's output, is the mean of the losses of each, as if each mask were a batch of its own.
    At inference it is called once, on its input as it is.

    All that comes before is computed once for all masks, and most of a network comes before: an
    epoch costs little more, and fewer are needed.

    Whatever follows this layer sees the mean, and there the loss is that of what follows: give the
    last layer its activation, `MultiSampleDropout(Dense(10, activation="softmax"))`. The layer
    within is called `samples` times in a step of training, and so are its penalty for activities
    and the statistics that it keeps.

    Keras has no such layer. Inoue, *Multi-sample dropout for accelerated training and better
    generalization*, 2019, <https://arxiv.org/abs/1905.09788>.

    Args:
        layer: The layer within, the last of the network.
        rate: Fraction of the inputs to drop, from 0 to 1; it can be turned while a model trains.
        samples: Number of masks, at least 1.
        seed: Seed of the layer's random stream; `None` takes the next one.
        **kwargs: What all layers take: `activity_regularizer`, `trainable`, `dtype`,
            `autocast`, `name`.
    """

    _class = "oxhorn.layers.MultiSampleDropout"

    def __init__(
        self,
        layer: Layer,
        rate: float = 0.5,
        samples: int = 5,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(layer, **kwargs)
        self.dropout = Dropout(rate, seed=seed, name=f"{self.name}_dropout")
        # As in Rust, the rate is a number of this layer.
        self.dropout._key = self._key
        self._numbers = {f"{self._key}/rate": "rate"}
        self.samples = samples
        _native.check("layers", self._envelope())

    @property
    def rate(self) -> float:
        """Fraction of the inputs to drop."""
        return self.dropout.rate

    @rate.setter
    def rate(self, rate: float) -> None:
        self.dropout.rate = rate

    def _envelope(self) -> str:
        """Rust's dictionary of the layer, around one that changes nothing."""
        within = {"module": "keras.layers", "class_name": "Identity", "config": {}}
        config = {"layer": within, "rate": self.rate, "samples": self.samples}
        module, _, name = self._class.rpartition(".")
        return json.dumps({"module": module, "class_name": name, "config": config})

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self.layer.compute_output_shape(input_shape)

    def call(self, inputs: Any, training: bool = False) -> Any:
        """The mean of the layer within, under as many masks as there are samples."""
        # Predictions that are sampled have one mask each already.
        masks = self.samples if training else 1
        members = [self.layer(self.dropout(inputs)) for _ in range(masks)]
        return tree.map_structure(lambda *outputs: _native.ensemble(list(outputs)), *members)

    def get_config(self) -> dict[str, Any]:
        own = {"rate": self.rate, "samples": self.samples, "seed": self.dropout.seed}
        return {**super().get_config(), **own}
