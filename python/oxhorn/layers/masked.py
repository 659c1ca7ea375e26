"""Layers of Rust that reckon with the mask of their input: what they do where there is one."""

from __future__ import annotations

from typing import Any

from oxhorn._generated import layers as generated


class GlobalAveragePooling1D(generated.GlobalAveragePooling1D):
    __doc__ = generated.GlobalAveragePooling1D.__doc__

    def call(self, inputs: Any, training: bool = False, mask: Any = None) -> Any:
        """The mean over the steps, or over those that the mask names."""
        if mask is None:
            return super().call(inputs, training)
        from oxhorn import ops

        steps, features = (2, 1) if self.data_format == "channels_first" else (1, 2)
        mask = ops.expand_dims(ops.cast(mask, "bool"), features)
        inputs = ops.where(mask, inputs, ops.zeros_like(inputs))
        total = ops.sum(inputs, axis=steps, keepdims=self.keepdims)
        return total / ops.sum(ops.cast(mask, "float32"), axis=steps, keepdims=self.keepdims)


class Softmax(generated.Softmax):
    __doc__ = generated.Softmax.__doc__

    def call(self, inputs: Any, training: bool = False, mask: Any = None) -> Any:
        """The shares of what the mask names: everything else has none."""
        if mask is None:
            return super().call(inputs, training)
        from oxhorn import ops

        self._check_mask(inputs.shape, mask.shape)
        if mask.dtype != "bool":
            mask = ops.greater(mask, 0.5)
        masked = ops.where(mask, inputs, ops.full_like(inputs, LOWEST))
        return ops.where(mask, super().call(masked, training), ops.zeros_like(inputs))

    def _check_mask(self, shape: tuple, mask_shape: tuple) -> None:
        received = f"Received: inputs.shape={shape}, mask.shape={mask_shape}"
        if len(mask_shape) > len(shape):
            raise ValueError(
                "The `mask` must be broadcastable to `inputs` and must not have more dimensions. "
                f"{received}"
            )
        if any(m not in (1, n) for m, n in zip(mask_shape[::-1], shape[::-1])):
            raise ValueError(
                "The `mask` must be broadcastable to `inputs`. Each mask dimension must be 1 or "
                f"match the corresponding input dimension. {received}"
            )


# What stands for a logit that does not count.
LOWEST = -1e9


class BatchNormalization(generated.BatchNormalization):
    __doc__ = generated.BatchNormalization.__doc__

    def call(self, inputs: Any, training: bool = False, mask: Any = None) -> Any:
        """Normalized by the moments of what the mask names, if there is one while training."""
        if mask is None or not training or not self.trainable:
            return super().call(inputs, training)
        from oxhorn import ops

        axis = self.axis % len(inputs.shape)
        axes = [i for i in range(len(inputs.shape)) if i != axis]
        shape = [n if i == axis else 1 for i, n in enumerate(inputs.shape)]
        counted = ops.broadcast_to(ops.expand_dims(ops.cast(mask, "float32"), -1), inputs.shape)
        count = ops.sum(counted, axis=axes) + EPSILON
        mean = ops.sum(counted * inputs, axis=axes) / count
        apart = inputs - ops.reshape(mean, shape)
        variance = ops.sum(counted * apart * apart, axis=axes) / count
        for moving, moment in ((self.moving_mean, mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + moment * (1.0 - self.momentum))
        outputs = apart / ops.sqrt(ops.reshape(variance, shape) + self.epsilon)
        if self.scale:
            outputs = outputs * ops.reshape(self.gamma, shape)
        return outputs + ops.reshape(self.beta, shape) if self.center else outputs


# What keeps a mean of nothing finite: Keras' epsilon.
EPSILON = 1e-7
