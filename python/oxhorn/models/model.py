"""`Model`: layers with training; functional, or a class of one's own."""

from __future__ import annotations

import inspect
from typing import Any

from oxhorn import tree
from oxhorn._tensor import KerasTensor, Tensor
from oxhorn.layers.building import opened
from oxhorn.layers.input_layer import InputLayer
from oxhorn.layers.layer import Layer
from oxhorn.models.functional import Graph
from oxhorn.models.training import Trainer


def is_functional(args: tuple, kwargs: dict[str, Any]) -> bool:
    """Whether these arguments say that a model is functional: inputs and outputs."""
    return (
        len(args) >= 2
        or (len(args) == 1 and "outputs" in kwargs)
        or {
            "inputs",
            "outputs",
        }
        <= set(kwargs)
    )


class Model(Trainer, Layer):
    """A model: `Model(inputs, outputs)`, or a subclass with a `call` of its own.

    Args:
        inputs: symbolic tensors, or a structure of such.
        outputs: what follows from them by calls of layers and ops.
        name: the model's name.
    """

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if cls is Model and is_functional(args, kwargs):
            return super().__new__(Functional)
        return super().__new__(cls, *args, **kwargs)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        if type(self) is Functional:
            return
        if is_functional(args, kwargs):
            # A subclass that describes itself by inputs and outputs.
            inputs, outputs = _ends(args, kwargs)
            Layer.__init__(self, **kwargs)
            self._begin_trainer()
            self._take_graph(inputs, outputs)
            return
        if args:
            raise TypeError(
                f"{type(self).__name__} takes `inputs` and `outputs`, or neither. Received: {args}"
            )
        Layer.__init__(self, **kwargs)
        self._begin_trainer()

    _graph: Graph | None = None

    def _take_graph(self, inputs: Any, outputs: Any) -> None:
        """Becomes the functional model between these symbolic tensors."""
        object.__setattr__(self, "_graph", Graph(inputs, outputs))
        operations = self._graph.operations
        object.__setattr__(self, "_operations", operations)
        self._layers = [operation for operation in operations if isinstance(operation, Layer)]
        names = [operation.name for operation in operations]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(
                    f'The name "{name}" is used {names.count(name)} times in the model. All '
                    "operation names should be unique."
                )
        self.built = True
        # Nobody has to say for which shape: the inputs do.
        self._build_shapes = {"input_shape": None}

    # What a functional model has ------------------------------------------------------------------

    @property
    def inputs(self) -> Any:
        return None if self._graph is None else self._graph.flat_inputs

    @property
    def outputs(self) -> Any:
        return None if self._graph is None else self._graph.flat_outputs

    @property
    def input(self) -> Any:
        return self._need_graph().inputs

    @property
    def output(self) -> Any:
        return self._need_graph().outputs

    @property
    def input_shape(self) -> Any:
        shapes = tree.map_structure(lambda x: x.shape, self._need_graph().inputs)
        return shapes

    @property
    def output_shape(self) -> Any:
        return tree.map_structure(lambda x: x.shape, self._need_graph().outputs)

    @property
    def input_names(self) -> list[str]:
        return self._need_graph().names()

    @property
    def output_names(self) -> Any:
        if self._graph is None:
            return None
        names = [x._keras_history.operation.name for x in self._graph.flat_outputs]
        if isinstance(self._graph.outputs, dict):
            names = sorted(self._graph.outputs)
        return names

    def _need_graph(self) -> Graph:
        if self._graph is None:
            raise AttributeError(
                f"The layer {self.name} has never been called and thus has no defined input."
            )
        return self._graph

    @property
    def layers(self) -> list[Any]:
        return [layer for layer in self._layers if not layer.name.startswith("_functional")]

    def get_layer(self, name: str | None = None, index: int | None = None) -> Any:
        """The layer of this name, or at this index."""
        if index is not None and name is not None:
            raise ValueError(
                f"Provide only a layer name or a layer index. Received: index={index}, name={name}."
            )
        if index is not None:
            if len(self.layers) <= index:
                raise ValueError(
                    f"Was asked to retrieve layer at index {index} but model only has "
                    f"{len(self.layers)} layers."
                )
            return self.layers[index]
        if name is not None:
            for layer in self.layers:
                if layer.name == name:
                    return layer
            raise ValueError(
                f"No such layer: {name}. Existing layers are: {[x.name for x in self.layers]}."
            )
        raise ValueError("Provide either a layer name or layer index at `get_layer`.")

    def call(self, *args: Any, **kwargs: Any) -> Any:
        if self._graph is None:
            raise NotImplementedError(
                f"Model {type(self).__name__} does not have a `call()` method implemented."
            )
        inputs, *rest = args or [kwargs.pop("inputs")]
        training = rest[0] if rest else kwargs.get("training")
        mask = rest[1] if len(rest) > 1 else kwargs.get("mask")
        return self._graph.call(inputs, training, mask)

    def build(self, input_shape: Any) -> None:
        """Makes the weights, by one call on symbolic tensors of this shape."""
        if self.built:
            return
        shapes = [input_shape] if _is_shape(input_shape) else input_shape
        inputs = tree.map_shape_structure(KerasTensor, shapes)
        inputs = inputs[0] if _is_shape(input_shape) else inputs
        unbuilt = [layer for layer in self._flatten_layers() if not layer.built]
        # A subclass that calls this from a `build` of its own is not to be built by the call.
        self.built = True
        try:
            self.compute_output_spec(inputs)
        except Exception:
            self.built = False
            raise
        if tree.flatten(shapes)[0] is None:
            for layer in unbuilt:
                layer._build_shapes = opened(layer._build_shapes)

    def _ensure_built(self, args: tuple, kwargs: dict[str, Any]) -> None:
        # A model of one's own builds its layers as it calls them.
        if not self.built and type(self).build is not Model.build:
            super()._ensure_built(args, kwargs)
        self.built = True

    def _flatten_x(self, x: Any) -> list[Any]:
        if self._graph is None:
            return super()._flatten_x(x)
        names = self._graph.names()
        if isinstance(x, dict):
            self._x_structure = None if len(names) == 1 else [0] * len(names)
            return self._graph.flattened(x)
        if len(names) == 1:
            self._x_structure = None
            nested = isinstance(x, (list, tuple)) and len(x) == 1 and hasattr(x[0], "shape")
            return [x[0]] if nested else [x]
        self._x_structure = [0] * len(names)
        return self._graph.flattened(x)

    def _network(self, tensors: list[Tensor], training: bool) -> list[Tensor]:
        if self._graph is not None and isinstance(self._graph.inputs, dict):
            named = dict(zip(sorted(self._graph.inputs), tensors))
            self._x_structure = {name: 0 for name in named}
        return super()._network(tensors, training)

    def _integer_inputs(self) -> list[bool] | None:
        if self._graph is None:
            return None
        return [not x.dtype.startswith("float") for x in self._graph.flat_inputs]

    # Looking at it --------------------------------------------------------------------------------

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Any = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
    ) -> None:
        """Prints a table of the layers, their output shapes and their parameters."""
        from oxhorn.utils.summary import print_summary

        print_summary(
            self,
            line_length=line_length,
            positions=positions,
            print_fn=print_fn,
            expand_nested=expand_nested,
            show_trainable=show_trainable,
            layer_range=layer_range,
        )

    # Writing it down ------------------------------------------------------------------------------

    def get_config(self) -> dict[str, Any]:
        from oxhorn.models import serialization

        if self._graph is not None:
            return serialization.functional_config(self)
        return Layer.get_config(self)

    get_config.is_default = True  # type: ignore[attr-defined]

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        from oxhorn.models import serialization

        if "input_layers" in config and "output_layers" in config:
            return serialization.functional_from_config(cls, config, custom_objects)
        return super().from_config(config)

    def to_json(self, **kwargs: Any) -> str:
        """The model, its settings and how it is compiled, as JSON."""
        from oxhorn.models import serialization

        return serialization.to_json(self, **kwargs)

    def save_weights(
        self, filepath: Any, overwrite: bool = True, max_shard_size: float | None = None
    ) -> None:
        """Writes the weights to a file, and the state of the optimizer.

        Args:
            filepath: the file: `.weights.h5`, `.npz` or `.safetensors`.
            overwrite: whether a file that is there is replaced; otherwise a person is asked.
            max_shard_size: not supported: there are no shards.
        """
        from oxhorn.saving import weights_file

        more = {} if max_shard_size is None else {"max_shard_size": max_shard_size}
        weights_file.save(self, filepath, overwrite, **more)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
        """Takes the weights from a file, and the state of the optimizer.

        Args:
            filepath: the file: `.weights.h5`, `.keras`, `.npz`, `.safetensors`, or legacy `.h5`.
            skip_mismatch: whether layers that do not fit keep what they have, with a warning.
            **kwargs: `objects_to_skip`, layers that are left out; `by_name`, of legacy `.h5` files,
                whether layers are found by their names.
        """
        from oxhorn.saving import weights_file

        weights_file.load(self, filepath, skip_mismatch, **kwargs)

    def save(
        self, filepath: Any, overwrite: bool = True, zipped: Any = None, **kwargs: Any
    ) -> None:
        """Writes the model to a file that `load_model` reads, and Keras' own.

        Args:
            filepath: the file: `.keras`, or `.h5` for the legacy format.
            overwrite: whether a file that is there is replaced; otherwise a person is asked.
            zipped: `False`, for a folder in place of a file, is not supported.
            **kwargs: `include_optimizer`, of the legacy format.
        """
        from oxhorn.saving import save_model

        save_model(self, filepath, overwrite=overwrite, zipped=zipped, **kwargs)


class Functional(Model):
    """The model between symbolic inputs and outputs; `Model(inputs, outputs)` makes it."""

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, **kwargs: Any) -> None:
        trainable = kwargs.pop("trainable", None)
        inputs = tree.map_structure(_as_keras_tensor, inputs)
        Layer.__init__(self, name=name, **kwargs)
        self._begin_trainer()
        self._take_graph(inputs, outputs)
        if trainable is not None:
            self.trainable = trainable


def _as_keras_tensor(x: Any) -> Any:
    return x.output if isinstance(x, InputLayer) else x


def _ends(args: tuple, kwargs: dict[str, Any]) -> tuple[Any, Any]:
    bound = inspect.Signature(
        [
            inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD)
            for name in ("inputs", "outputs")
        ]
    ).bind(*args, **{key: kwargs.pop(key) for key in ("inputs", "outputs") if key in kwargs})
    return bound.arguments["inputs"], bound.arguments["outputs"]


def _is_shape(value: Any) -> bool:
    return isinstance(value, (list, tuple)) and all(n is None or isinstance(n, int) for n in value)
