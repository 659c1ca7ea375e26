"""`Masking`: what a sequence holds where there is nothing."""

from __future__ import annotations

from typing import Any

from oxhorn._masks import set_mask
from oxhorn._tensor import Tensor
from oxhorn.layers.layer import Layer


class Masking(Layer):
    """Masks the steps of a sequence whose features all equal a value, and fills them with zeros.

    Args:
        mask_value: the value.
        **kwargs: What all layers take: `activity_regularizer`, `trainable`, `dtype`,
            `autocast`, `name`.
    """

    def __init__(self, mask_value: float = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.mask_value = mask_value
        self.built = True

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """Where a step has a feature that does not equal the value."""
        from oxhorn import ops

        return ops.any(ops.not_equal(inputs, self.mask_value), axis=-1)

    def call(self, inputs: Any) -> Any:
        from oxhorn import ops

        mask = self.compute_mask(inputs)
        outputs = ops.where(ops.expand_dims(mask, -1), inputs, ops.zeros_like(inputs))
        if isinstance(outputs, Tensor):
            set_mask(outputs, mask)
        return outputs

    def compute_output_shape(self, input_shape: Any) -> Any:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "mask_value": self.mask_value}
