"""`Wrapper`: a layer around another; `TimeDistributed`: one layer for every step of a sequence."""

from __future__ import annotations

from typing import Any

from oxhorn._tensor import KerasTensor
from oxhorn.layers.layer import Layer, call_names


class Wrapper(Layer):
    """A layer around another, which subclasses call.

    Args:
        layer: the other layer.
        **kwargs: What all layers take: `activity_regularizer`, `trainable`, `dtype`,
            `autocast`, `name`.
    """

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        if not isinstance(layer, Layer):
            raise ValueError(
                f"Layer {layer} supplied to Wrapper isn't a supported layer type. Please ensure "
                "wrapped layer is a valid Keras layer."
            )
        super().__init__(**kwargs)
        self.layer = layer

    def build(self, input_shape: Any = None) -> None:
        """Makes the weights of the layer within."""
        if not self.layer.built:
            self.layer.build(input_shape)
            self.layer.built = True

    def get_config(self) -> dict[str, Any]:
        from oxhorn.saving import serialize_keras_object

        return {**super().get_config(), "layer": serialize_keras_object(self.layer)}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """The wrapper with these settings."""
        from oxhorn.saving import deserialize_keras_object

        config = dict(config)
        layer = deserialize_keras_object(config.pop("layer"), custom_objects=custom_objects)
        return super().from_config({**config, "layer": layer})


class TimeDistributed(Wrapper):
    """Calls one layer on every step of a sequence: on all that lies behind the second axis.

    The steps are laid out among the samples, so that the layer is called once. What depends on
    the samples of a batch as a whole, such as `BatchNormalization` while training, sees all steps
    together.

    Args:
        layer: the layer.
        **kwargs: What all layers take: `activity_regularizer`, `trainable`, `dtype`,
            `autocast`, `name`.
    """

    def __init__(self, layer: Layer, **kwargs: Any) -> None:
        if not isinstance(layer, Layer):
            raise ValueError(
                "Please initialize `TimeDistributed` layer with a `keras.layers.Layer` instance. "
                f"Received: {layer}"
            )
        super().__init__(layer, **kwargs)
        self.supports_masking = True

    def _step_shape(self, input_shape: Any) -> tuple:
        if not isinstance(input_shape, (tuple, list)) or len(input_shape) < 3:
            raise ValueError(
                "`TimeDistributed` Layer should be passed an `input_shape` with at least 3 "
                f"dimensions, received: {input_shape}"
            )
        return (input_shape[0], *input_shape[2:])

    def build(self, input_shape: Any = None) -> None:
        super().build(self._step_shape(input_shape))

    def compute_output_shape(self, input_shape: Any) -> Any:
        samples, *features = self.layer.compute_output_shape(self._step_shape(input_shape))
        return (samples, input_shape[1], *features)

    def compute_output_spec(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        step = KerasTensor(self._step_shape(inputs.shape), inputs.dtype)
        output = self.layer.compute_output_spec(step)
        samples, *features = output.shape
        return KerasTensor((samples, inputs.shape[1], *features), output.dtype)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        from oxhorn import ops

        shape = inputs.shape
        given: dict[str, Any] = {"training": training}
        if mask is not None:
            self._check_mask(shape, mask.shape)
            if "mask" in call_names(type(self.layer)):
                given["mask"] = ops.reshape(mask, (shape[0] * shape[1], *mask.shape[2:]))
        outputs = self.layer(ops.reshape(inputs, (shape[0] * shape[1], *shape[2:])), **given)
        return ops.reshape(outputs, (*shape[:2], *outputs.shape[1:]))

    def _check_mask(self, shape: tuple, mask_shape: tuple) -> None:
        if len(mask_shape) < 2:
            raise ValueError(
                "The `mask` passed to the `TimeDistributed` layer must be at least 2D (e.g., "
                f"`(batch_size, timesteps)`), but it has {len(mask_shape)} dimension(s) with shape "
                f"{mask_shape}."
            )
        if tuple(mask_shape[:2]) != tuple(shape[:2]):
            raise ValueError(
                f"The `mask` passed to the `TimeDistributed` layer has a shape {mask_shape} that "
                f"is incompatible with the input shape {shape}. The first two dimensions of the "
                "mask (batch size and timesteps) must match the input's first two dimensions. "
                f"Expected mask shape prefix: ({shape[0]}, {shape[1]})."
            )
