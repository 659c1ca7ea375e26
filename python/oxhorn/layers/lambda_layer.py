"""`Lambda`: a function as a layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from oxhorn import tree
from oxhorn._tensor import KerasTensor
from oxhorn.layers.layer import Layer, is_shape


class Lambda(Layer):
    """Calls a function, written with `ops` and operators, on its input.

    Args:
        function: what is called; it may also take `mask` and `training`.
        output_shape: the shape that it gives, without that of the samples, or a function of the
            input's shape; it is found out where none is given.
        mask: the mask of the output, or a function `mask(inputs, mask)` that gives it.
        arguments: further arguments of the function, by name.
        **kwargs: What all layers take: `activity_regularizer`, `trainable`, `dtype`,
            `autocast`, `name`.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        import inspect

        super().__init__(**kwargs)
        self.function = function
        self.arguments = arguments or {}
        self.mask = mask
        self._output_shape = output_shape
        self.supports_masking = mask is not None
        taken = inspect.getfullargspec(function).args
        self._takes = [name for name in ("mask", "training") if name in taken]

    def call(self, inputs: Any, mask: Any = None, training: bool | None = None) -> Any:
        offered = {"mask": mask, "training": training}
        return self.function(inputs, **self.arguments, **{it: offered[it] for it in self._takes})

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        """What was given as the mask, or what that function says."""
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def compute_output_shape(self, input_shape: Any) -> Any:
        if self._output_shape is None:
            return super().compute_output_shape(input_shape)
        if callable(self._output_shape):
            return self._output_shape(input_shape)
        samples = input_shape[0] if is_shape(input_shape) else tree.flatten(input_shape)[0]
        return tree.map_shape_structure(lambda shape: (samples, *shape), self._output_shape)

    def compute_output_spec(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        if self._output_shape is None:
            return super().compute_output_spec(inputs, *args, **kwargs)
        shapes = self.compute_output_shape(tree.map_structure(lambda x: x.shape, inputs))
        return tree.map_shape_structure(lambda shape: KerasTensor(shape, self.dtype), shapes)

    def get_config(self) -> dict[str, Any]:
        from oxhorn.saving import serialize_keras_object

        config = {**super().get_config(), "function": _serialized(self.function)}
        if self._output_shape is not None:
            config["output_shape"] = _serialized(self._output_shape)
        if self.mask is not None:
            config["mask"] = _serialized(self.mask)
        return {**config, "arguments": serialize_keras_object(self.arguments)}

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: Any = None, safe_mode: bool | None = None
    ) -> Lambda:
        """The layer with these settings; functions have to be registered or in `custom_objects`."""
        from oxhorn.saving import deserialize_keras_object

        config = dict(config)
        for name in ("function", "output_shape", "mask", "arguments"):
            if isinstance(config.get(name), dict):
                if config[name].get("class_name") == "__lambda__":
                    raise NotImplementedError(
                        f"The `{name}` of this `Lambda` is Python's byte code, which Oxhorn does "
                        "not run. Write it as a function and register it with "
                        "`@keras.saving.register_keras_serializable()`"
                    )
                config[name] = deserialize_keras_object(config[name], custom_objects=custom_objects)
        return super().from_config(config)


def _serialized(value: Any) -> Any:
    """A function by its name, or a value."""
    from oxhorn.saving import serialize_keras_object

    if getattr(value, "__name__", "") == "<lambda>":
        raise NotImplementedError(
            "A `lambda` cannot be written down: Keras would store Python's byte code. Use a "
            "function that is registered with `@keras.saving.register_keras_serializable()`"
        )
    return serialize_keras_object(value)
