"""`Layer`: a callable with weights, as Keras has it; and the base of the layers that Rust has."""

from __future__ import annotations

import functools
import inspect
import itertools
import json
import weakref
from typing import Any

import numpy as np

from oxhorn import _native, tree
from oxhorn._graph import Node, Operation, output_spec
from oxhorn._masks import Masks
from oxhorn._registry import RegistryObject
from oxhorn._tensor import KerasTensor, Tensor, as_array, as_traced
from oxhorn._variables import Variable
from oxhorn.dtype_policies import DTypePolicy
from oxhorn.layers import keras_config
from oxhorn.layers.building import (
    BUILT_AT_ONCE,
    as_shapes,
    build_arguments,
    is_shape,
    noting_shapes,
)
from oxhorn.layers.input_spec import SPECS, InputSpec, check_input
from oxhorn.layers.masking_rules import LOSING, output_mask
from oxhorn.layers.own_variables import mismatch
from oxhorn.saving.file_scope import claim

_keys = itertools.count(1)


class CallContext:
    """What the calls of layers within one another have in common."""

    def __init__(self) -> None:
        # Whether noise is active, call by call from the outermost.
        self.training: list[bool] = []
        # The layers whose calls have not returned, from the outermost.
        self.callers: list[Any] = []

    def path(self, layer: Any) -> str:
        """Where the variables of a layer are that is built now: `sequential/dense`."""
        callers = [*self.callers, layer]
        names = [a.name for a, b in zip(callers, callers[1:]) if a is not b]
        return "/".join([*names, layer.name])


class Within:
    """The block in which a layer is called or built."""

    def __init__(self, layer: Any) -> None:
        self.layer = layer

    def __enter__(self) -> None:
        _context.callers.append(self.layer)

    def __exit__(self, *error: Any) -> None:
        _context.callers.pop()


_context = CallContext()


class Layer(Operation):
    """A callable with weights.

    A subclass makes its weights in `build(input_shape)` with `add_weight`, and has its mathematics
    in `call(inputs)`, written with `ops` and operators. It is traced once for each kind of step.

    Args:
        activity_regularizer: what is added to the loss for the output.
        trainable: whether training changes the weights.
        dtype: the type of weights and results; `float32` is the only one.
        autocast: accepted for Keras; there is one precision.
        name: the layer's name; one is made of the class where none is given.
    """

    # What `build` was told, by the names of its parameters.
    _build_shapes: dict[str, Any] | None = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "build" in cls.__dict__:
            cls.build = noting_shapes(cls.__dict__["build"])  # type: ignore[method-assign]

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        instance = super().__new__(cls)
        # What `get_config` gives where a subclass has none of its own.
        instance.__dict__["_given"] = (args, kwargs)
        return instance

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        from oxhorn import regularizers

        super().__init__(name=name)
        self.__dict__.setdefault("_layers", [])
        self._trainable_variables: list[Variable] = []
        self._non_trainable_variables: list[Variable] = []
        self._seed_generators: list[Any] = []
        self._metrics: list[Any] = []
        self._losses: list[Any] = []
        self._trainable = bool(trainable)
        self._key = f"{self.name}-{next(_keys)}"
        self._numbers: dict[str, str] = {}
        self.built = False
        # Who has a rule of its own for masks can deal with them.
        self.supports_masking = type(self).compute_mask is not Layer.compute_mask
        self.input_spec: Any = None
        self.autocast = autocast
        self.dtype_policy = dtype_policy(dtype)
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self._eager: Any = None
        self._given_input_shape = given_input_shape(kwargs)
        if kwargs:
            raise ValueError(
                f"Unrecognized keyword arguments passed to {type(self).__name__}: {kwargs}"
            )
        self.__dict__["_ready"] = True

    # What is kept -------------------------------------------------------------------------------

    def __setattr__(self, name: str, value: Any) -> None:
        if self.__dict__.get("_ready"):
            self._track(value, name)
        object.__setattr__(self, name, value)

    def _track(self, value: Any, name: str) -> None:
        """Notes layers, variables, metrics and seed generators that become attributes."""
        from oxhorn.metrics.metric import Metric
        from oxhorn.random.seed_generator import SeedGenerator

        if name.startswith("_functional") or name in ("_layers", "_eager", "history"):
            return
        if isinstance(value, Layer):
            if all(layer is not value for layer in self._layers):
                self._layers.append(value)
        elif isinstance(value, Variable):
            self._own(value)
        elif isinstance(value, Metric):
            if all(metric is not value for metric in self._metrics):
                self._metrics.append(value)
        elif isinstance(value, SeedGenerator):
            if all(known is not value for known in self._seed_generators):
                self._seed_generators.append(value)
        elif isinstance(value, (list, tuple)) and not name.endswith("_variables"):
            for item in value:
                self._track(item, name)
        elif isinstance(value, dict):
            for item in value.values():
                self._track(item, name)

    def _own(self, variable: Variable) -> None:
        known = self._trainable_variables + self._non_trainable_variables
        if all(variable is not other for other in known):
            own = self._trainable_variables if variable.trainable else self._non_trainable_variables
            own.append(variable)

    @property
    def layers(self) -> list[Any]:
        """The layers within this one."""
        return list(self._layers)

    @property
    def path(self) -> str:
        return self.name

    @property
    def dtype(self) -> str:
        return self.dtype_policy.variable_dtype

    @property
    def compute_dtype(self) -> str:
        return self.dtype_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        return self.dtype_policy.variable_dtype

    @property
    def trainable(self) -> bool:
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        for variable in self._trainable_variables:
            variable.trainable = self._trainable
        for layer in self._layers:
            layer.trainable = value

    def _flatten_layers(self, include_self: bool = True, recursive: bool = True) -> list[Any]:
        layers = [self] if include_self else []
        for layer in self._layers:
            layers.append(layer)
            if recursive:
                layers.extend(layer._flatten_layers(include_self=False))
        return layers

    @property
    def variables(self) -> list[Variable]:
        """All variables: weights and the states of seed generators."""
        states = [generator.state for generator in self._seed_generators]
        own = self._trainable_variables + self._non_trainable_variables + states
        return _unique(own, *(layer.variables for layer in self._layers))

    @property
    def weights(self) -> list[Variable]:
        """The variables, without the states of seed generators."""
        own = self._trainable_variables + self._non_trainable_variables
        return _unique(own, *(layer.weights for layer in self._layers))

    @property
    def trainable_variables(self) -> list[Variable]:
        """The variables that training changes."""
        return [v for v in self.variables if v.trainable] if self._trainable else []

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The variables that training does not change."""
        return [v for v in self.variables if not v.trainable or not self._trainable]

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes."""
        return [v for v in self.weights if v.trainable] if self._trainable else []

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The weights that training does not change."""
        return [v for v in self.weights if not v.trainable or not self._trainable]

    @property
    def metrics(self) -> list[Any]:
        """The metrics of this layer and of those within it."""
        return _unique(self._metrics, *(layer.metrics for layer in self._layers))

    @property
    def losses(self) -> list[Any]:
        """What this layer adds to the loss: the penalties for its weights, and what its last call
        on arrays added."""
        layers = self._flatten_layers()
        added = [loss for layer in layers for loss in layer._losses]
        weights = [w for w in self.trainable_weights if w.regularizer is not None]
        return added + [w.regularizer(w) for w in weights]

    def get_weights(self) -> list[np.ndarray]:
        """The values of the weights."""
        return [variable.numpy() for variable in self.weights]

    def set_weights(self, weights: list[Any]) -> None:
        """Gives the weights these values, in the order of `weights`."""
        variables = self.weights
        if len(variables) != len(weights):
            raise ValueError(
                f"You called `set_weights(weights)` on layer '{self.name}' with a weight list of "
                f"length {len(weights)}, but the layer was expecting {len(variables)} weights."
            )
        arrays = [as_array(value, v.dtype) for v, value in zip(variables, weights)]
        for variable, array in zip(variables, arrays):
            if variable.shape != array.shape:
                raise ValueError(
                    f"Layer {self.name} weight shape {variable.shape} is not compatible with "
                    f"provided weight shape {array.shape}."
                )
        for variable, array in zip(variables, arrays):
            variable.assign(array)

    def count_params(self) -> int:
        """How many numbers the weights are."""
        if not self.built:
            raise ValueError(
                f"You tried to call `count_params` on layer '{self.name}', but the layer isn't "
                "built. You can build it manually via: `layer.build(input_shape)`."
            )
        return sum(int(np.prod(variable.shape)) for variable in self.weights)

    # What subclasses use --------------------------------------------------------------------------

    def add_weight(
        self,
        *args: Any,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Variable:
        """Makes a weight of this layer.

        Args:
            shape: the extent of each axis.
            initializer: how its first value is made; `"glorot_uniform"` where none is given, and
                `"zeros"` of what is no real number.
            dtype: the type of the elements.
            trainable: whether gradients change it.
            autocast: accepted for Keras.
            regularizer: what is added to the loss for it.
            constraint: where it is brought back to after each step.
            aggregation: accepted for Keras.
            overwrite_with_gradient: not supported.
            name: its name.
        """
        if args:
            # Older layers give the name first, if at all, and then the shape and so on.
            name, args = (args[0], args[1:]) if isinstance(args[0], str) else (name, args)
            given = dict(zip(("shape", "initializer", "dtype", "trainable"), args))
            shape, initializer = given.get("shape", shape), given.get("initializer", initializer)
            dtype, trainable = given.get("dtype", dtype), given.get("trainable", trainable)
        from oxhorn import constraints, initializers, regularizers

        if overwrite_with_gradient:
            raise NotImplementedError(
                "Argument `overwrite_with_gradient` of `add_weight` is not supported by Oxhorn."
            )
        if not hasattr(self, "_layers"):
            raise RuntimeError(
                f"It looks like {type(self).__name__} did not call `super().__init__()`."
            )
        dtype = str(np.dtype(dtype)) if isinstance(dtype, type) else dtype or self.dtype
        default = "glorot_uniform" if "float" in dtype else "zeros"
        initializer = initializers.get(initializer if initializer is not None else default)
        variable = Variable(
            initializer=initializer,
            shape=tuple(shape) if shape is not None else (),
            dtype=dtype,
            trainable=trainable and self._trainable,
            name=name,
        )
        variable.regularizer = regularizers.get(regularizer)
        variable.constraint = constraints.get(constraint)
        variable.path = f"{_context.path(self)}/{variable.name}"
        variable.trainable = trainable
        self._own(variable)
        return variable

    def add_variable(
        self,
        shape: Any,
        initializer: Any,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str | None = None,
    ) -> Variable:
        """Makes a weight; see `add_weight`."""
        return self.add_weight(
            shape=shape,
            initializer=initializer,
            dtype=dtype,
            trainable=trainable,
            autocast=autocast,
            regularizer=regularizer,
            constraint=constraint,
            name=name,
        )

    def add_loss(self, loss: Any) -> None:
        """Adds a scalar, or several, to the loss that training makes small."""
        for term in tree.flatten(loss):
            if isinstance(term, KerasTensor):
                raise NotImplementedError(
                    "`add_loss` takes what a call computes. Call it in the `call` of a layer or "
                    "model of your own."
                )
            if not _native.tracing():
                self._losses.append(term)
                continue
            term = as_traced(term, "float32")
            if term.shape:
                term = _native.apply_function("sum", "numpy", term)
            _native.add_loss(term)

    def add_metric(self, *args: Any, **kwargs: Any) -> None:
        """Keras has removed it."""
        raise NotImplementedError(
            "Layer `add_metric()` method is deprecated. Add your metric in "
            "`Model.compile(metrics=..)`."
        )

    def build(self, input_shape: Any) -> None:
        """Makes the weights; subclasses do so for inputs of this shape."""
        self.built = True

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """The layer's mathematics."""
        raise NotImplementedError(
            f"Layer {type(self).__name__} does not have a `call()` method implemented."
        )

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        """The mask of the outputs: that of the inputs."""
        return previous_mask

    # What `compute_mask` is where masks are handed on as they are.
    _usual_mask: Any = compute_mask

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """The shape of the output for inputs of these shapes, `None` where it is open."""
        shapes = [*args, *kwargs.values()]
        inputs = (
            [KerasTensor(shape) for shape in shapes]
            if shapes and is_shape(shapes[0])
            else [tree.map_shape_structure(KerasTensor, shapes[0])]
        )
        outputs = self.compute_output_spec(*inputs)
        return tree.map_structure(lambda x: x.shape, outputs)

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """Symbolic tensors like those that a call on these symbolic tensors gives."""
        return output_spec(self._traced, args, kwargs)

    # How it is called -----------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if "_ready" not in self.__dict__:
            raise RuntimeError(
                f"In layer {type(self).__name__}, you forgot to call `super().__init__()` in the "
                "`__init__()` method. Go add it!"
            )
        if not args and not kwargs:
            inspect.signature(self.call).bind()
        if self.input_spec is not None:
            first = args[0] if args else next(iter(kwargs.values()), None)
            check_input(self.input_spec, first, self.name)
        flat = tree.flatten((args, kwargs))
        if any(isinstance(x, KerasTensor) for x in flat):
            return self._symbolic(*args, **kwargs)
        if _native.tracing() or any(isinstance(x, Tensor) for x in flat):
            return self._traced(*args, **kwargs)
        return self._on_arrays(*args, **kwargs)

    def _symbolic(self, *args: Any, **kwargs: Any) -> Any:
        with Within(self):
            self._ensure_built(args, kwargs)
            masks = Masks(self, call_names(type(self)), args, kwargs)
            outputs = self.compute_output_spec(*args, **kwargs)
            masks.pass_on(outputs)
        Node(self, args, kwargs, outputs)
        return outputs

    def _traced(self, *args: Any, **kwargs: Any) -> Any:
        with Within(self):
            return self._written(*args, **kwargs)

    def _written(self, *args: Any, **kwargs: Any) -> Any:
        """The call, written into what is being traced."""
        args = tuple(tree.map_structure(_as_input, arg) for arg in args)
        self._ensure_built(args, kwargs)
        training = kwargs.get("training")
        if training is None and _context.training:
            training = _context.training[-1]
        if training is None:
            training = _native.is_training()
        parameters = call_parameters(type(self))
        if "training" in parameters:
            kwargs["training"] = bool(training)
        else:
            kwargs.pop("training", None)
        masks = Masks(self, call_names(type(self)), args, kwargs)
        _context.training.append(bool(training))
        try:
            outputs = self.call(*args, **kwargs)
        finally:
            _context.training.pop()
        outputs = tree.map_structure(_as_output, outputs)
        masks.pass_on(outputs)
        if self.activity_regularizer is not None:
            for output in tree.flatten(outputs):
                penalty = self.activity_regularizer(output)
                samples = output.shape[0] if output.shape else 1
                self.add_loss(penalty / float(max(samples, 1)))
        return outputs

    def _on_arrays(self, *args: Any, **kwargs: Any) -> Any:
        with Within(self):
            self._ensure_built(args, kwargs)
        if self._eager is None:
            self.__dict__["_eager"] = EagerCalls(self)
        return self._eager(args, kwargs)

    def _ensure_built(self, args: tuple, kwargs: dict[str, Any]) -> None:
        if not self.built:
            self._build_for(build_arguments(self, args, kwargs), args, kwargs)
            self.built = True

    def _build_for(self, shapes: dict[str, Any], args: tuple, kwargs: dict[str, Any]) -> None:
        """Makes the weights for a call with these arguments."""
        if type(self).build is Layer.build:
            self._build_shapes = shapes
        self.build(*shapes.values())

    # What can be written down ---------------------------------------------------------------------

    def _own_variables(self) -> list[Variable]:
        """The variables that files have for this layer alone, in Keras' order."""
        return [*self._trainable_variables, *self._non_trainable_variables]

    def save_own_variables(self, store: Any) -> None:
        """Puts the layer's own variables, not those of layers within, into a dictionary.

        Files hold what is in it; a subclass may put other arrays there, and take them back in
        `load_own_variables`.
        """
        for number, variable in enumerate(self._own_variables()):
            store[str(number)] = variable

    def load_own_variables(self, store: Any) -> None:
        """Takes the layer's own variables from a dictionary that `save_own_variables` filled."""
        failure = mismatch(self, store)
        if failure is not None:
            raise ValueError(failure)
        for number, variable in enumerate(self._own_variables()):
            variable.assign(store[str(number)])

    def get_config(self) -> dict[str, Any]:
        """The layer's settings, by which `from_config` makes another like it."""
        config = {"name": self.name, "trainable": self._trainable, "dtype": policy_config(self)}
        if self.activity_regularizer is not None:
            from oxhorn import regularizers

            config["activity_regularizer"] = regularizers.serialize(self.activity_regularizer)
        if getattr(type(self).get_config, "is_default", False):
            config.update(given_config(self))
            if not accepts(type(self), "name"):
                del config["name"]
        return config

    # A class without one of its own is written down by what its `__init__` was given.
    get_config.is_default = True  # type: ignore[attr-defined]

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The layer with these settings."""
        # What every layer has is no argument of a class whose `__init__` does not name it.
        config = {
            key: value
            for key, value in config.items()
            if key not in ("name", "trainable", "dtype") or accepts(cls, key)
        }
        policy = config.get("dtype")
        if isinstance(policy, dict):
            config["dtype"] = policy["config"]["name"]
        try:
            return cls(**config)
        except TypeError as error:
            raise TypeError(
                f"Error when deserializing class '{cls.__name__}' using config={config}.\n\n"
                f"Exception encountered: {error}"
            ) from error

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Makes the weights as a saved layer had them, by what `get_build_config` gave."""
        if "input_shape" in config:
            self.build(as_shapes(config["input_shape"]))
        elif "shapes_dict" in config:
            shapes = {name: as_shapes(shape) for name, shape in config["shapes_dict"].items()}
            self.build(**shapes)
        self.built = True

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes that the layer was built for, or `None` where it was not."""
        if self._build_shapes is None:
            return None
        if len(self._build_shapes) == 1:
            return {"input_shape": next(iter(self._build_shapes.values()))}
        return {"shapes_dict": dict(self._build_shapes)}

    def __repr__(self) -> str:
        return f"<{type(self).__name__} name={self.name}, built={self.built}>"


class RegistryLayer(RegistryObject, Layer):
    """A layer whose mathematics Rust has."""

    _category = "layers"

    def __init__(self, **kwargs: Any) -> None:
        Layer.__init__(self, **kwargs)
        self.supports_masking = self._keras_name not in LOSING
        self.input_spec = SPECS.get(self._keras_name)
        self._made = False
        self._input_dtypes: list[str] | None = None
        self.built = self._keras_name in BUILT_AT_ONCE

    @property
    def _keras_name(self) -> str:
        return self._class.rpartition(".")[2]

    def _is_random(self) -> bool:
        # What has a strength of 0 draws nothing, in Keras too.
        for strength in ("rate", "stddev"):
            if strength in self._fields:
                return getattr(self, strength) > 0
        return True

    def _ensure_built(self, args: tuple, kwargs: dict[str, Any]) -> None:
        if not self._made:
            self._build_for(build_arguments(self, args, kwargs), args, kwargs)
            self.built = True

    def _build_for(self, shapes: dict[str, Any], args: tuple, kwargs: dict[str, Any]) -> None:
        inputs = args[0] if args else next(iter(kwargs.values()), None)
        self._input_dtypes = [_dtype_of(x) for x in tree.flatten(inputs)]
        if self.built:
            # Keras has nothing to build here, and writes no shapes down.
            self._make_variables(*shapes.values())
        else:
            self.build(*shapes.values())

    def build(self, input_shape: Any) -> None:
        """Makes the weights for inputs of this shape."""
        self._make_variables(input_shape)

    def _make_variables(self, shapes: Any) -> None:
        if self._made:
            return
        several = isinstance(shapes, (list, tuple)) and shapes and is_shape(shapes[0])
        flat = list(shapes) if several else [shapes]
        if not several and self._class.endswith(".Concatenate"):
            raise ValueError(
                "A `Concatenate` layer should be called on a list of at least 1 input. Received: "
                f"input_shape={shapes}"
            )
        dtypes = self._input_dtypes or ["float32"] * len(flat)
        types = [(list(shape), dtype) for shape, dtype in zip(flat, dtypes)]
        variables, numbers, _ = _native.layer_variables(self._envelope(), types)
        for made in variables:
            self._make(made)
        if self._class == "keras.layers.Dense":
            self.input_spec = InputSpec(min_ndim=2, axes={-1: flat[0][-1]})
        self._numbers = {f"{self._key}/{name}": name for name, _ in numbers}
        for path in self._numbers:
            _turnable[path] = weakref.ref(self)
        self._made = True

    def _make(self, made: dict[str, Any]) -> None:
        """Makes a variable that Rust has asked for."""
        from oxhorn.random.seed_generator import SeedGenerator

        name, key = made["name"], f"{self._key}/{made['name']}"
        if "seed" in made:
            generator = SeedGenerator(seed=made["seed"], name=name.rpartition("/")[0], key=key)
            self.__dict__["seed_generator"] = generator
            self._seed_generators.append(generator)
            return
        if "values" in made:
            return  # They stand in the settings, and no weight holds them.
        claim(made["shape"])
        if "initializer" in made:
            value = _native.first_value(made["initializer"], list(made["shape"]))
        else:
            value = np.full(made["shape"], made["value"], made["dtype"])
        variable = Variable(value, dtype=made["dtype"], name=name, key=key)
        variable.trainable = made["trainable"] and self._trainable
        variable.path = f"{_context.path(self)}/{name}"
        variable.regularizer = getattr(self, f"{name}_regularizer", None)
        variable.constraint = getattr(self, f"{name}_constraint", None)
        own = self._trainable_variables if made["trainable"] else self._non_trainable_variables
        own.append(variable)
        self.__dict__[name] = variable

    def call(self, inputs: Any, training: bool = False) -> Any:
        """The layer's mathematics, which Rust writes down."""
        tensors = inputs if isinstance(inputs, (list, tuple)) else [inputs]
        return _native.apply_layer(
            self._envelope(), self._key, list(tensors), training, self._trainable
        )

    def compute_mask(self, inputs: Any, previous_mask: Any) -> Any:
        return output_mask(self._keras_name, getattr(self, "axis", None), inputs, previous_mask)

    def compute_output_spec(self, inputs: Any, *args: Any, **kwargs: Any) -> Any:
        flat = inputs if isinstance(inputs, (list, tuple)) else [inputs]
        types = [(list(x.shape), x.dtype) for x in flat]
        _, _, (shape, dtype) = _native.layer_variables(self._envelope(), types)
        return KerasTensor(shape, dtype=dtype)

    def get_config(self) -> dict[str, Any]:
        config = Layer.get_config(self)
        config.update(RegistryObject.get_config(self))
        return keras_config.written(self._keras_name, config)

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The layer with these settings."""
        return super().from_config(keras_config.read(cls._class.rpartition(".")[2], config))


class EagerCalls:
    """Calls of a layer on arrays, compiled for each structure of arguments."""

    def __init__(self, layer: Layer) -> None:
        # A layer has its calls; the other way round they would keep each other alive.
        self.layer = weakref.ref(layer)
        self.compiled: dict[Any, tuple[Any, list[Any]]] = {}

    def __call__(self, args: tuple, kwargs: dict[str, Any]) -> Any:
        training = kwargs.pop("training", None)
        training = bool(training) if training is not None else False
        flat = tree.flatten((args, kwargs))
        arrays = [as_array(x) for x in flat if _is_value(x)]
        others = tuple(repr(x) for x in flat if not _is_value(x))
        layer = self.layer()
        fingerprint = getattr(layer, "_settings_fingerprint", lambda: None)()
        types = tuple((a.shape, a.dtype.name) for a in arrays)
        key = (training, types, others, layer._trainable, fingerprint)
        known = self.compiled.get(key)
        if known is None:
            known = self.compiled[key] = self.compile(args, kwargs, flat, training)
        engine, structure = known
        pull_numbers(engine)
        layer._losses = []
        outputs = engine.call(arrays, training)
        remaining = iter(outputs)
        return tree.map_structure(lambda x: next(remaining) if x is Tensor else x, structure[0])

    def compile(
        self, args: tuple, kwargs: dict[str, Any], flat: list[Any], noise: bool
    ) -> tuple[Any, list[Any]]:
        structure: list[Any] = []
        places = [None if _is_value(x) else x for x in flat]
        values = [_is_value(x) for x in flat]
        shape = tree.map_structure(lambda _: 0, (args, kwargs))
        reference = self.layer

        def traced(tensors: list[Tensor], training: bool) -> list[Tensor]:
            remaining = iter(tensors)
            filled = [next(remaining) if v else p for v, p in zip(values, places)]
            own_args, own_kwargs = tree.pack_sequence_as(shape, filled)
            outputs = reference()(*own_args, **own_kwargs, training=training)
            structure[:] = [tree.map_structure(lambda x: Tensor, outputs)]
            return tree.flatten(outputs)

        return _native.Engine(traced, 1), structure


# Numbers that people turn, with the layers that have them.
_turnable: dict[str, Any] = {}


def pull_numbers(engine: Any) -> None:
    """Gives an engine the numbers of layers as they are now."""
    for path, value in engine.numbers():
        layer = _turnable.get(path, lambda: None)()
        if layer is not None:
            now = getattr(layer, layer._numbers[path], value)
            if now != value:
                engine.set_number(path, float(now))


def push_numbers(engine: Any) -> None:
    """Gives layers their numbers as an engine has them."""
    for path, value in engine.numbers():
        layer = _turnable.get(path, lambda: None)()
        if layer is not None and getattr(layer, layer._numbers[path], value) != value:
            setattr(layer, layer._numbers[path], value)


def _unique(*lists: list[Any]) -> list[Any]:
    seen: set[int] = set()
    everything = itertools.chain(*lists)
    return [x for x in everything if not (id(x) in seen or seen.add(id(x)))]


def _is_value(x: Any) -> bool:
    """Whether an argument of a call is an array, as opposed to a setting."""
    if isinstance(x, (np.ndarray, np.generic, Variable)):
        return True
    return hasattr(x, "__array__") or isinstance(x, float)


def _dtype_of(x: Any) -> str:
    return (
        getattr(x, "dtype", "float32")
        if isinstance(x, (Tensor, KerasTensor))
        else str(as_array(x).dtype)
    )


def _as_input(x: Any) -> Any:
    return as_traced(x) if isinstance(x, (np.ndarray, np.generic, Variable)) else x


def _as_output(x: Any) -> Any:
    return x if isinstance(x, Tensor) or x is None else as_traced(x)


# The flag of a function that takes further keyword arguments.
VAR_KEYWORDS = 0x08


@functools.cache
def call_names(cls: type) -> tuple[str, ...]:
    """The parameters of a layer's `call`, in order and without `self`."""
    function: Any = cls.call  # type: ignore[attr-defined]
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    code = getattr(function, "__code__", None)
    if code is None:
        return tuple(inspect.signature(function).parameters)[1:]
    return code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]


@functools.cache
def call_parameters(cls: type) -> frozenset[str]:
    """The parameters of a layer's `call`; `training` too if it takes any."""
    code = getattr(cls.call, "__code__", None)  # type: ignore[attr-defined]
    takes_any = code is not None and code.co_flags & VAR_KEYWORDS
    return frozenset((*call_names(cls), *(("training",) if takes_any else ())))


def dtype_policy(dtype: Any) -> DTypePolicy:
    """The policy that `dtype` names."""
    if isinstance(dtype, DTypePolicy):
        return dtype
    if isinstance(dtype, dict):
        dtype = dtype["config"]["name"]
    return DTypePolicy(dtype or "float32")


def policy_config(layer: Layer) -> dict[str, Any]:
    name = layer.dtype_policy.name
    return {
        "module": "keras",
        "class_name": "DTypePolicy",
        "config": {"name": name},
        "registered_name": None,
    }


def given_input_shape(kwargs: dict[str, Any]) -> tuple | None:
    """The shape, batch axis included, that older arguments of a first layer say."""
    if "input_dim" in kwargs:
        return (None, kwargs.pop("input_dim"))
    if "input_shape" in kwargs:
        shape = kwargs.pop("input_shape")
        return (kwargs.pop("batch_size", None), *shape) if shape is not None else None
    for name in ("batch_input_shape", "batch_shape"):
        if name in kwargs:
            return tuple(kwargs.pop(name))
    return None


def accepts(cls: type, name: str) -> bool:
    """Whether a class is made with an argument of this name."""
    parameters = inspect.signature(cls.__init__).parameters
    return name in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def given_config(layer: Layer) -> dict[str, Any]:
    """What `__init__` was given, by name."""
    args, kwargs = layer._given
    bound = inspect.signature(type(layer).__init__).bind(layer, *args, **kwargs)
    given: dict[str, Any] = {}
    for name, value in list(bound.arguments.items())[1:]:
        parameter = bound.signature.parameters[name]
        if parameter.kind is not parameter.VAR_POSITIONAL:
            given.update(value if parameter.kind is parameter.VAR_KEYWORD else {name: value})
    for name in ("name", "trainable", "dtype"):
        given.pop(name, None)  # Every layer has them, and knows them better.
    try:
        json.dumps(given)
    except TypeError:
        raise NotImplementedError(
            f"Object {type(layer).__name__} was created by passing non-serializable argument "
            "values in `__init__()`, and therefore the object must override `get_config()` in "
            "order to be serializable."
        ) from None
    return given
