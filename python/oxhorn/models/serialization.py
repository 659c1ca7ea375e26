"""Models as dictionaries and JSON, as Keras 3 writes them, and back."""

from __future__ import annotations

import inspect
import json
from typing import Any

from oxhorn import tree
from oxhorn._graph import Node, Operation
from oxhorn._tensor import KerasTensor
from oxhorn.layers.layer import Layer, RegistryLayer
from oxhorn.ops import keras_names
from oxhorn.ops.dispatch import FunctionOperation
from oxhorn.ops.indexing import GetItem
from oxhorn.saving.file_scope import FileScope, current_file
from oxhorn.saving.objects import (
    UnknownObjectError,
    deserialize_keras_object,
    serialize_keras_object,
)

TENSOR = "__keras_tensor__"
# Layers with noise or state for training alone whose `call` takes `training` as `None` unless told;
# Keras before 3.16 writes `training: false` for all others, whoever has said it.
TOLD_MODES = frozenset(
    ("BatchNormalization", "Bidirectional", "MultiHeadAttention", "GroupedQueryAttention")
)


def to_json(model: Any, **kwargs: Any) -> str:
    """The model, its settings and how it is compiled, as JSON.

    Args:
        model: the model.
        **kwargs: arguments of `json.dumps`.
    """
    return json.dumps(serialize_keras_object(model), **kwargs)


def model_from_json(json_string: str, custom_objects: dict[str, Any] | None = None) -> Any:
    """The model that `to_json` has written down, with new weights.

    Args:
        json_string: the text.
        custom_objects: classes and functions of one's own by name.
    """
    return deserialize_keras_object(json.loads(json_string), custom_objects=custom_objects)


# Sequential models -------------------------------------------------------------------------------


def sequential_config(model: Any) -> dict[str, Any]:
    """The settings of a sequential model: its layers, and what it was built for."""
    layers = [model._input, *model.layers] if model._input is not None else model.layers
    config = Layer.get_config(model)
    config["layers"] = [serialize_keras_object(layer) for layer in layers]
    if model._graph is not None:
        config["build_input_shape"] = model._input.batch_shape
    return config


def sequential_from_config(cls: type, config: dict[str, Any], custom_objects: Any = None) -> Any:
    """The sequential model with these settings."""
    if "name" not in config:
        raise ValueError(
            "A Sequential model configuration must be a dictionary containing the 'name' and "
            f"'layers' keys. Received: config={config}"
        )
    model = cls(name=config["name"])
    for layer in config["layers"]:
        model.add(deserialize_keras_object(layer, custom_objects=custom_objects), rebuild=False)
    model._rebuild()
    shape = config.get("build_input_shape")
    if model._graph is None and isinstance(shape, (list, tuple)):
        model.build(tuple(shape))
    if config.get("trainable") is False:
        model.trainable = False
    return model


# Functional models, written ----------------------------------------------------------------------


def is_functional_class(cls: type) -> bool:
    """Whether a class of models is made of inputs and outputs, or takes whatever it is given."""
    parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
    kinds = {parameter.kind for parameter in parameters}
    if {inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD} <= kinds:
        return True
    return {"inputs", "outputs"} <= {parameter.name for parameter in parameters}


def functional_config(model: Any) -> dict[str, Any]:
    """The settings of a functional model: its layers, and the calls that connect them."""
    if not is_functional_class(type(model)):
        return Layer.get_config(model)
    written = Written(model._graph)
    return {
        "name": model.name,
        "trainable": model.trainable,
        "layers": [written.operation(operation) for operation in model._graph.operations],
        "input_layers": tree.map_structure(written.end, model._graph.inputs),
        "output_layers": tree.map_structure(written.end, model._graph.outputs),
    }


class Written:
    """Writes the operations of a graph; of their calls, those that are in the graph."""

    def __init__(self, graph: Any) -> None:
        nodes = [node for level in graph.nodes_by_depth().values() for node in level]
        self.own = {id(node) for node in nodes}

    def operation(self, operation: Any) -> dict[str, Any]:
        calls = [node for node in operation._inbound_nodes if id(node) in self.own]
        nodes = [self.call(node) for node in calls if node.input_tensors]
        own = {"name": operation.name, "inbound_nodes": nodes}
        return {**operation_config(operation, calls), **own}

    def call(self, node: Node) -> dict[str, Any]:
        args, kwargs = node.args, node.kwargs
        if isinstance(node.operation, FunctionOperation):
            args = tuple(keras_names.split(node.operation.function, args, kwargs)[1])
            while args and args[-1] is None:
                args = args[:-1]
            kwargs = {}
        args, kwargs = tree.map_structure(
            lambda x: self.tensor(x) if isinstance(x, KerasTensor) else x, (args, kwargs)
        )
        return {"args": serialize_keras_object(args), "kwargs": serialize_keras_object(kwargs)}

    def tensor(self, x: KerasTensor) -> dict[str, Any]:
        config = {"shape": x.shape, "dtype": x.dtype, "keras_history": self.history(x)}
        return {"class_name": TENSOR, "config": config}

    def history(self, x: KerasTensor) -> list[Any]:
        """The operation, its call among those of the graph, and the output of the call."""
        operation, node_index, tensor_index = x._keras_history
        earlier = operation._inbound_nodes[:node_index]
        return [operation.name, sum(id(node) in self.own for node in earlier), tensor_index]

    def end(self, x: KerasTensor) -> list[Any]:
        """An input or output of the model."""
        name, node_index, tensor_index = self.history(x)
        # In Keras, the calls of functional models in the ends of others are counted from 1.
        return [name, node_index + _first_call(x._keras_history.operation), tensor_index]


def _first_call(operation: Any) -> int:
    from oxhorn.models.model import Model
    from oxhorn.models.sequential import Sequential

    functional = isinstance(operation, Model) and operation._graph is not None
    return int(functional and not isinstance(operation, Sequential))


def operation_config(operation: Operation, calls: list[Node]) -> dict[str, Any]:
    """The dictionary of a layer, or of a function of `ops` as it is called."""
    if isinstance(operation, Layer):
        return serialize_keras_object(operation)
    family, settings = "numpy", {}
    class_name = getattr(operation, "class_name", type(operation).__name__)
    if isinstance(operation, FunctionOperation):
        family = operation.family
        settings, _ = keras_names.split(operation.function, calls[0].args, calls[0].kwargs)
    elif not isinstance(operation, GetItem):
        raise NotImplementedError(
            f"The operation '{operation.name}' of class {class_name} cannot be written down. Make "
            "it a layer with a `get_config`."
        )
    return {
        "module": f"{keras_names.MODULE}.{family}",
        "class_name": class_name,
        "config": serialize_keras_object({"name": operation.name, **settings}),
        "registered_name": class_name,
    }


# Functional models, read -------------------------------------------------------------------------


def functional_from_config(cls: type, config: dict[str, Any], custom_objects: Any = None) -> Any:
    """The functional model with these settings."""
    further = dict(config)
    layers, inputs, outputs = (
        further.pop(key) for key in ("layers", "input_layers", "output_layers")
    )
    name, trainable = further.pop("name", None), further.pop("trainable", None)
    read = Read(layers, custom_objects)
    return cls(
        inputs=read.ends(inputs),
        outputs=read.ends(outputs),
        name=name,
        trainable=trainable,
        **further,
    )


class Read:
    """The operations of a functional model's dictionary, with all their calls made."""

    def __init__(self, layers: list[dict[str, Any]], custom_objects: Any) -> None:
        self.custom_objects = custom_objects
        self.operations: dict[str, Any] = {}
        # The calls that a layer has of other models, which a file counts apart.
        self.earlier: dict[str, int] = {}
        waiting: list[tuple[Any, dict[str, Any], list[Any]]] = []
        for config in layers:
            name = config.get("name") or config["config"]["name"]
            file = current_file()
            known = {id(it) for it in file.shared.values()} if file is not None else ()
            operation = self.made(config)
            self.operations[name] = operation
            if id(operation) in known:
                self.earlier[name] = len(operation._inbound_nodes)
            waiting.append((operation, config, list(config.get("inbound_nodes", []))))
        while any(calls for _, _, calls in waiting):
            before = sum(len(calls) for _, _, calls in waiting)
            for operation, config, calls in waiting:
                self.call(operation, config, calls)
            if sum(len(calls) for _, _, calls in waiting) == before:
                raise ValueError(
                    "Invalid Functional model configuration. The graph of the Functional model "
                    "either has loops or disconnected nodes. The following nodes failed to be "
                    f"resolved: { {it.name: calls for it, _, calls in waiting if calls} }"
                )

    def made(self, config: dict[str, Any]) -> Any:
        """The layer or function of a dictionary."""
        if str(config.get("module")).startswith(keras_names.MODULE):
            return made_operation(config)
        layer = deserialize_keras_object(config, custom_objects=self.custom_objects)
        if not isinstance(layer, Operation):
            raise ValueError(
                "Unexpected object from deserialization, expected a layer or operation, got a "
                f"{type(layer)}"
            )
        return layer

    def call(self, operation: Any, config: dict[str, Any], calls: list[Any]) -> None:
        """Makes those calls, from the first on, whose inputs are there already."""
        while calls:
            call = calls[0] if isinstance(calls[0], dict) else legacy_call(calls[0])
            try:
                args, kwargs = self.value(call["args"]), self.value(call["kwargs"])
            except NotYet:
                return
            del calls[0]
            if isinstance(operation, FunctionOperation):
                settings = deserialize_keras_object(config["config"])
                args, kwargs = keras_names.join(operation.function, settings, args, kwargs)
            elif isinstance(operation, GetItem):
                key = args[1] if len(args) > 1 else kwargs.pop("key")
                args = [args[0], tuple(key) if isinstance(key, list) else key]
            elif kwargs.get("training") is False and not is_told(operation, current_file()):
                del kwargs["training"]
            operation(*args, **kwargs)

    def value(self, value: Any) -> Any:
        """An argument of a call, with tensors in place of what names them."""
        if isinstance(value, (list, tuple)):
            return [self.value(item) for item in value]
        if not isinstance(value, dict):
            return value
        if value.get("class_name") == TENSOR:
            return self.tensor(*value["config"]["keras_history"])
        if "class_name" in value and "config" in value:
            return deserialize_keras_object(value, custom_objects=self.custom_objects)
        return {key: self.value(item) for key, item in value.items()}

    def tensor(self, name: str, node_index: int, tensor_index: int) -> KerasTensor:
        operation = self.operations.get(name)
        if operation is None:
            raise ValueError(f"Unknown layer: {name}")
        if node_index < 0 or tensor_index < 0:
            raise ValueError(f"No call has these numbers: {[name, node_index, tensor_index]}")
        node_index += self.earlier.get(name, 0)
        if len(operation._inbound_nodes) <= node_index:
            raise NotYet
        return operation._inbound_nodes[node_index].output_tensors[tensor_index]

    def ends(self, ends: Any) -> Any:
        """The inputs or outputs of the model."""
        if isinstance(ends, dict):
            return {key: self.ends(value) for key, value in ends.items()}
        if len(ends) == 3 and isinstance(ends[0], str):
            name, node_index, tensor_index = ends
            return self.tensor(
                name, node_index - _first_call(self.operations.get(name)), tensor_index
            )
        return [self.ends(value) for value in ends]


class NotYet(Exception):
    """A call needs what another call gives that has not been made."""


def made_operation(config: dict[str, Any]) -> Operation:
    """The function of `ops` that an operation of Keras is."""
    name, class_name = config["config"].get("name"), config["class_name"]
    if class_name == "GetItem":
        return GetItem(name)
    function = keras_names.function_name(class_name)
    try:
        keras_names.signature(function)
    except ValueError:
        raise UnknownObjectError(class_name, config, "operation") from None
    family = config["module"].rpartition(".")[2]
    return FunctionOperation(function, family, name)


def is_told(layer: Any, file: FileScope | None) -> bool:
    """Whether `training: false` in a file was said by somebody, for calls of this layer."""
    if file is not None and file.is_literal:
        return True
    if isinstance(layer, RegistryLayer):
        return layer._keras_name in TOLD_MODES
    parameter = inspect.signature(type(layer).call).parameters.get("training")
    return parameter is None or parameter.default is not False


def legacy_call(inputs: list[Any]) -> dict[str, Any]:
    """A call as Keras 2 wrote it: its inputs, each `[name, node, tensor, arguments]`."""
    if inputs and isinstance(inputs[0], str):
        inputs = [inputs]
    tensors = [
        {"class_name": TENSOR, "config": {"keras_history": list(history[:3])}} for history in inputs
    ]
    kwargs = inputs[0][3] if inputs and len(inputs[0]) > 3 else {}
    return {"args": [tensors[0] if len(tensors) == 1 else tensors], "kwargs": kwargs}
