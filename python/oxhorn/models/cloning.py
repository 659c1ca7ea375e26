"""`clone_model`: the same layers anew, with weights of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from oxhorn import tree
from oxhorn._tensor import KerasTensor
from oxhorn.layers.input_layer import Input
from oxhorn.layers.layer import Layer
from oxhorn.models.model import Functional, Model
from oxhorn.models.sequential import Sequential
from oxhorn.models.serialization import is_functional_class
from oxhorn.ops.dispatch import FunctionOperation

CloneFunction = Callable[[Any], Any]


def clone_model(
    model: Any,
    input_tensors: Any = None,
    clone_function: CloneFunction | None = None,
    call_function: Callable[..., Any] | None = None,
    recursive: bool = False,
    **kwargs: Any,
) -> Any:
    """A model like this one, with new layers, whose weights are drawn anew.

    Args:
        model: the model, sequential or functional; another one needs a `get_config`.
        input_tensors: symbolic tensors to begin with, in place of new inputs.
        clone_function: gives the new layer for a layer; by default one of the same settings.
        call_function: `call_function(layer, *args, **kwargs)` calls a new layer, of functional
            models alone.
        recursive: whether layers of models within the model are cloned one by one as well.
    """
    cache: dict[int, Any] = kwargs.pop("cache", {})
    if kwargs:
        raise ValueError(f"Unexpected keyword argument(s): {tuple(kwargs)}")
    clone = Cloning(clone_function or same_again, call_function, recursive, cache)
    if isinstance(model, Sequential):
        if call_function is not None:
            raise ValueError(
                "`call_function` argument is not supported with Sequential models. In a Sequential "
                "model, layers aren't called at model-construction time (they're merely listed). "
                "Use `call_function` with Functional models only. Received model of type "
                f"'{type(model).__name__}', with call_function={call_function}"
            )
        return cloned_sequential(model, clone, input_tensors)
    if isinstance(model, Model) and model._graph is not None:
        return cloned_functional(model, clone, input_tensors)
    if clone_function or input_tensors:
        raise ValueError(
            "Arguments `clone_function` and `input_tensors` are only supported for Sequential "
            f"models or Functional models. Received model of type '{type(model).__name__}', with "
            f"clone_function={clone_function} and input_tensors={input_tensors}"
        )
    if call_function is not None:
        raise ValueError(
            "Argument `call_function` is only supported for Functional models. Received model of "
            f"type '{type(model).__name__}', with call_function={call_function}"
        )
    from oxhorn.saving import deserialize_keras_object, serialize_keras_object

    config = serialize_keras_object(model)
    return deserialize_keras_object(config, custom_objects={type(model).__name__: type(model)})


def same_again(layer: Any) -> Any:
    """A layer of the same class and settings."""
    return type(layer).from_config(layer.get_config())


class Cloning:
    """Gives the clone of each layer, the same one whenever it is asked for."""

    def __init__(
        self,
        clone: CloneFunction,
        call: Callable[..., Any] | None,
        recursive: bool,
        cache: dict[int, Any],
    ) -> None:
        self.clone = clone
        self.call = call or (lambda layer, *args, **kwargs: layer(*args, **kwargs))
        self._call_function = call
        self.recursive = recursive
        self.cache = cache

    def __call__(self, layer: Any) -> Any:
        if id(layer) not in self.cache:
            self.cache[id(layer)] = self._cloned(layer)
        return self.cache[id(layer)]

    def _cloned(self, layer: Any) -> Any:
        if isinstance(layer, FunctionOperation):
            return FunctionOperation(layer.function, layer.family, layer.name)
        if not isinstance(layer, Layer):
            return type(layer)(layer.name)
        if self.recursive and isinstance(layer, Model) and layer._graph is not None:
            # A sequential model has no calls that a function could make.
            own = {} if isinstance(layer, Sequential) else {"call_function": self._call_function}
            return clone_model(
                layer, clone_function=self.clone, recursive=True, cache=self.cache, **own
            )
        return self.clone(layer)


def cloned_sequential(model: Sequential, clone: Cloning, input_tensors: Any) -> Any:
    """A sequential model of the clones of the layers."""
    layers = [clone(layer) for layer in model.layers]
    if input_tensors is not None:
        if isinstance(input_tensors, (list, tuple)):
            if len(input_tensors) != 1:
                raise ValueError("Argument `input_tensors` must contain a single tensor.")
            input_tensors = input_tensors[0]
        if not isinstance(input_tensors, KerasTensor):
            raise ValueError(
                "Argument `input_tensors` must be a KerasTensor. Received invalid value: "
                f"input_tensors={input_tensors}"
            )
        name = None if model._input is None else model._input.name
        layers.insert(0, Input(tensor=input_tensors, name=name))
    elif model._input is not None:
        own = model._input
        layers.insert(0, Input(batch_shape=own.batch_shape, dtype=own.dtype, name=own.name))
    return compiled_like(model, Sequential(layers, name=model.name, trainable=model.trainable))


def cloned_functional(model: Any, clone: Cloning, input_tensors: Any) -> Any:
    """A functional model of the same calls, of the clones of the layers."""
    graph = model._graph
    if input_tensors is None:
        inputs = tree.map_structure(
            lambda x: Input(batch_shape=x.shape, dtype=x.dtype, name=x.name), graph.inputs
        )
    else:
        inputs = input_tensors
        if not all(isinstance(x, KerasTensor) for x in tree.flatten(inputs)):
            raise ValueError(
                "All entries in `input_tensors` must be KerasTensors. Received invalid values: "
                f"inputs_tensors={input_tensors}"
            )
        try:
            tree.assert_same_structure(input_tensors, graph.inputs)
        except ValueError as error:
            raise ValueError(
                "`input_tensors` must have the same structure as model.input\n"
                f"Reference structure: {graph.inputs}\nReceived structure: {input_tensors}"
            ) from error
    tensors = {id(x): new for x, new in zip(graph.flat_inputs, tree.flatten(inputs))}

    def renewed(structure: Any) -> Any:
        return tree.map_structure(lambda x: tensors.get(id(x), x), structure)

    for node in graph.nodes:
        args, kwargs = renewed((node.args, node.kwargs))
        outputs = clone.call(clone(node.operation), *args, **kwargs)
        tensors.update(
            (id(old), new) for old, new in zip(node.output_tensors, tree.flatten(outputs))
        )
    cls = type(model) if is_functional_class(type(model)) else Functional
    return compiled_like(model, cls(inputs, renewed(graph.outputs), name=model.name))


def compiled_like(model: Any, clone: Any) -> Any:
    """The clone, compiled as the model is."""
    if model.compiled:
        clone.compile_from_config(model.get_compile_config())
    return clone
