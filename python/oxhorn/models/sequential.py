"""`Sequential`: a model that is a list of layers."""

from __future__ import annotations

from typing import Any

from oxhorn._naming import auto_name
from oxhorn._tensor import KerasTensor
from oxhorn.layers.input_layer import Input, InputLayer
from oxhorn.layers.layer import Layer, Within
from oxhorn.models.functional import Graph
from oxhorn.models.model import Model


class Sequential(Model):
    """A list of layers, each of which takes what the one before gives.

    Args:
        layers: the layers; more can be added with `add`.
        trainable: whether training changes them.
        name: the model's name.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        return Layer.__new__(cls)

    def __init__(self, layers: Any = None, trainable: bool = True, name: str | None = None) -> None:
        Layer.__init__(self, trainable=trainable, name=name)
        self._begin_trainer()
        self._input: InputLayer | None = None
        if layers:
            for layer in layers:
                self.add(layer, rebuild=False)
            self._rebuild()

    def add(self, layer: Any, rebuild: bool = True) -> None:
        """Adds a layer at the end."""
        if isinstance(layer, KerasTensor) and layer._keras_history is not None:
            layer = layer._keras_history.operation
        if not isinstance(layer, Layer):
            raise ValueError(
                "Only instances of `keras.Layer` can be added to a Sequential model. Received: "
                f"{layer} (of type {type(layer)})"
            )
        if any(known.name == layer.name for known in self._layers):
            raise ValueError(
                "All layers added to a Sequential model should have unique names. Name "
                f"'{layer.name}' is already the name of a layer in this model. Update the `name` "
                "argument to pass a unique name."
            )
        if isinstance(layer, InputLayer):
            if self._input is not None or self._layers:
                raise ValueError(
                    f"Sequential model '{self.name}' has already been configured to use input "
                    f"shape {self._input.batch_shape if self._input else None}. You cannot add a "
                    "different Input layer to it."
                )
            object.__setattr__(self, "_input", layer)
        else:
            if not self._layers and self._input is None:
                self._take_input_of(layer)
            self._layers = [*self._layers, layer]
        self.built = False
        self._graph = None
        if rebuild:
            self._rebuild()

    def _take_input_of(self, layer: Layer) -> None:
        """Begins with the shape that the first layer states, if it does."""
        shape, dtype = layer._given_input_shape, None
        if isinstance(layer, Model) and layer.inputs is not None and len(layer.inputs) == 1:
            shape, dtype = layer.inputs[0].shape, layer.inputs[0].dtype
        if shape is not None:
            made = Input(batch_shape=shape, dtype=dtype)._keras_history.operation
            object.__setattr__(self, "_input", made)

    def pop(self, rebuild: bool = True) -> Layer:
        """Removes the last layer, and gives it."""
        layer = self._layers[-1]
        self._layers = self._layers[:-1]
        self.built = False
        self._graph = None
        if rebuild:
            self._rebuild()
        return layer

    def _rebuild(self) -> None:
        """Builds the layers, if the shape of the input is known."""
        self._runs = None
        self._objective_set = False
        if self._input is not None and self._layers:
            self.build(self._input.batch_shape)

    def build(self, input_shape: Any = None) -> None:
        """Makes the weights for inputs of this shape."""
        if self.built and self._graph is not None:
            return
        if not self._layers:
            raise ValueError(
                f"Sequential model {self.name} cannot be built because it has no layers. Call "
                "`model.add(layer)`."
            )
        if self._input is None:
            made = Input(batch_shape=tuple(input_shape))._keras_history.operation
            object.__setattr__(self, "_input", made)
        x = inputs = self._input.output
        with Within(self):
            for layer in self._layers:
                x = layer(x)
        self._graph = Graph(inputs, x)
        # Keras has a functional model in here, which takes a name from the next one.
        auto_name("functional")
        self.built = True

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("_graph", "_input"):
            object.__setattr__(self, name, value)
        else:
            super().__setattr__(name, value)

    def _ensure_built(self, args: tuple, kwargs: dict[str, Any]) -> None:
        if self._graph is None:
            x = args[0] if args else next(iter(kwargs.values()))
            shape = tuple(x.shape)
            made = Input(batch_shape=(None, *shape[1:]), dtype=_kind(x))._keras_history.operation
            object.__setattr__(self, "_input", self._input or made)
            self.build(self._input.batch_shape)

    def call(
        self, inputs: Any, training: bool | None = None, mask: Any = None, **kwargs: Any
    ) -> Any:
        """The last layer's output."""
        if kwargs:
            raise TypeError(f"A Sequential model is called on its inputs alone. Received: {kwargs}")
        return self._graph.call(inputs, training, mask)

    def compute_output_shape(self, input_shape: Any) -> Any:
        """The shape of the output for inputs of this shape."""
        return super().compute_output_shape(input_shape)

    def compute_output_spec(
        self, inputs: Any, training: bool | None = None, mask: Any = None, **kwargs: Any
    ) -> Any:
        """Symbolic tensors like those that a call on these symbolic tensors gives."""
        more = {"training": training, "mask": mask, **kwargs}
        given = {name: value for name, value in more.items() if value is not None}
        return super().compute_output_spec(inputs, **given)

    @property
    def layers(self) -> list[Any]:
        return list(self._layers)

    # Keras' Sequential has none: its only output is called by the loss alone.
    output_names = None  # type: ignore[assignment]

    def get_config(self) -> dict[str, Any]:
        from oxhorn.models import serialization

        return serialization.sequential_config(self)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        from oxhorn.models import serialization

        return serialization.sequential_from_config(cls, config, custom_objects)


def _kind(x: Any) -> str:
    dtype = str(x.dtype)
    return dtype if dtype in ("int32", "bool") else "float32"
