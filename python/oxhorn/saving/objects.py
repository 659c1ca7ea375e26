"""Objects as dictionaries and back: Keras' `serialize_keras_object` and its inverse."""

from __future__ import annotations

import importlib
from types import FunctionType
from typing import Any

import numpy as np

from oxhorn import _native
from oxhorn.saving.file_scope import current_file, shared_number
from oxhorn.saving.registry import (
    CustomObjectScope,
    get_custom_objects,
    get_registered_name,
    get_registered_object,
    scoped_objects,
)

# Where a function is looked for that is written down by its name alone.
FUNCTION_MODULES = (
    "activations",
    "constraints",
    "initializers",
    "losses",
    "metrics",
    "optimizers",
    "regularizers",
)
# Where a class is looked for that is written down without its module, as Keras 2 did.
CLASS_MODULES = ("layers", "models", "models.model", "optimizers.schedules", *FUNCTION_MODULES)
# What these modules have besides objects.
HELPERS = ("deserialize", "get", "serialize")
# Modules of which files may name classes; all others hold functions that do things.
MODELING = frozenset(("", "dtype_policies", "random", "techniques", *CLASS_MODULES))

# What Keras calls the classes that are not where their module says.
PUBLIC = {
    "oxhorn.dtype_policies.DTypePolicy": "keras.DTypePolicy",
    "oxhorn._variables.Variable": "keras.Variable",
    "oxhorn.layers.layer.Layer": "keras.Layer",
    "oxhorn.losses.loss.Loss": "keras.Loss",
    "oxhorn.metrics.metric.Metric": "keras.Metric",
    "oxhorn.initializers.initializer.Initializer": "keras.Initializer",
    "oxhorn.models.model.Functional": "keras.src.models.functional.Functional",
    "oxhorn.models.model.Model": "keras.Model",
    "oxhorn.models.sequential.Sequential": "keras.Sequential",
    "oxhorn.optimizers.schedules.schedule.LearningRateSchedule": (
        "keras.optimizers.schedules.LearningRateSchedule"
    ),
}


class UnknownObjectError(TypeError):
    """No class or function has the name that a dictionary asks for."""

    def __init__(self, name: str, config: Any, message: str | None = None) -> None:
        kind = "class"
        if isinstance(config, dict) and config.get("class_name") == "function":
            kind = "function"
        super().__init__(
            message
            or f"Could not locate {kind} '{name}'. Make sure custom classes and functions are "
            "decorated with `@keras.saving.register_keras_serializable()`. If they are already "
            "decorated, make sure they are all imported so that the decorator is run before "
            f"trying to load them. Full object config: {config}"
        )


def public_path(cls: type) -> str | None:
    """What files call one of our classes: `keras.layers.Dense`, or, where Keras has none,
    `oxhorn.layers.DropPath`; `None` for others' classes.
    """
    own = cls.__dict__.get("_class")
    if own is not None:
        return own
    path = f"{cls.__module__}.{cls.__qualname__}"
    if path in PUBLIC or not cls.__module__.startswith("oxhorn."):
        return PUBLIC.get(path)
    return f"keras.{cls.__module__.split('.')[1]}.{cls.__name__}"


def serialize_keras_object(obj: Any) -> Any:
    """A dictionary, ready for JSON, that `deserialize_keras_object` turns into an equal object."""
    from oxhorn._tensor import KerasTensor

    if obj is None or isinstance(obj, (str, int, float)):
        return obj
    if isinstance(obj, (list, tuple)):
        items = [serialize_keras_object(item) for item in obj]
        return tuple(items) if isinstance(obj, tuple) else items
    if isinstance(obj, dict):
        return {key: serialize_keras_object(value) for key, value in obj.items()}
    if isinstance(obj, bytes):
        return {"class_name": "__bytes__", "config": {"value": obj.decode("utf-8")}}
    if isinstance(obj, slice):
        parts = {name: getattr(obj, name) for name in ("start", "stop", "step")}
        return {"class_name": "__slice__", "config": serialize_keras_object(parts)}
    if obj is Ellipsis:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(obj, np.generic) or isinstance(obj, np.ndarray) and obj.ndim == 0:
        return obj.item()
    if isinstance(obj, np.ndarray):
        config = {"value": obj.tolist(), "dtype": obj.dtype.name}
        return {"class_name": "__numpy__", "config": config}
    if isinstance(obj, np.dtype):
        return obj.name
    if isinstance(obj, KerasTensor):
        history = obj._keras_history
        history = [history[0].name, *history[1:]] if history else None
        config = {"shape": obj.shape, "dtype": obj.dtype, "keras_history": history}
        return {"class_name": "__keras_tensor__", "config": config}
    return _serialized_function(obj) if isinstance(obj, FunctionType) else _envelope(obj)


def _serialized_function(function: FunctionType) -> dict[str, Any]:
    if function.__name__ == "<lambda>":
        raise NotImplementedError(
            "A `lambda` cannot be written down. Give it a name with `def`, and register it with "
            "`@keras.saving.register_keras_serializable()`, so that it is found when it is loaded."
        )
    name = get_registered_name(function)
    return {
        "module": "builtins",
        "class_name": "function",
        "config": name,
        "registered_name": "function",
    }


def _envelope(obj: Any) -> dict[str, Any]:
    """The dictionary of an object that has a `get_config`."""
    if isinstance(obj, type) or not hasattr(obj, "get_config"):
        raise TypeError(
            f"Cannot serialize object {obj} of type {type(obj)}. To be serializable, a class must "
            "implement the `get_config()` method."
        )
    config = obj.get_config()
    if not isinstance(config, dict):
        raise TypeError(
            f"The `get_config()` method of {obj} should return a dict. It returned: {config}"
        )
    cls = type(obj)
    path = public_path(cls)
    module, name = path.rsplit(".", 1) if path else (cls.__module__, cls.__name__)
    registered = None if path and "keras.src" not in path else get_registered_name(cls)
    envelope = {
        # What a program defines itself is found by the registry alone.
        "module": None if module == "__main__" else module,
        "class_name": name,
        "config": serialize_keras_object(config),
        "registered_name": registered,
    }
    for key, method in (
        ("build_config", "get_build_config"),
        ("compile_config", "get_compile_config"),
    ):
        further = getattr(obj, method)() if hasattr(obj, method) else None
        if further is not None:
            envelope[key] = serialize_keras_object(further)
    number = shared_number(obj)
    if number is not None:
        envelope["shared_object_id"] = number
    return envelope


def deserialize_keras_object(
    config: Any,
    custom_objects: dict[str, Any] | None = None,
    safe_mode: bool = True,
    **kwargs: Any,
) -> Any:
    """The object that a dictionary of `serialize_keras_object` describes.

    Args:
        config: the dictionary, or a structure of such.
        custom_objects: further classes and functions by name.
        safe_mode: whether what holds code is refused as such. Nothing lets it run: `False` has
            Keras' meaning in no other respect either.
        **kwargs: nothing else is taken.
    """
    if kwargs:
        raise TypeError(f"Unknown arguments of `deserialize_keras_object`: {list(kwargs)}")
    custom_objects = {**(custom_objects or {}), **scoped_objects(), **get_custom_objects()}
    if config is None or isinstance(config, (int, float)):
        return config
    if isinstance(config, str):
        return custom_objects.get(config, config)
    if isinstance(config, (list, tuple)):
        return [deserialize_keras_object(item, custom_objects) for item in config]
    if not isinstance(config, dict):
        raise TypeError(f"Could not parse config: {config}")
    if "class_name" not in config or "config" not in config:
        each = config.items()
        return {key: deserialize_keras_object(value, custom_objects) for key, value in each}
    name, inner = config["class_name"], config["config"]
    if isinstance(name, str) and name.startswith("__"):
        return _deserialized_value(name, inner, custom_objects)
    file, number = current_file(), config.get("shared_object_id")
    if file is not None and number in file.shared:
        return file.shared[number]
    if name == "function":
        if not isinstance(inner, str):
            raise TypeError(
                "Expected 'config' to be a non-null str for a function classname, instead got "
                f"{type(inner)}. Full config: {config}"
            )
        return _function(inner, config, custom_objects)
    found = _object(name, inner or {}, config, custom_objects)
    if file is not None and number is not None:
        file.shared[number] = found
    return found


def _deserialized_value(name: str, inner: Any, custom_objects: dict[str, Any]) -> Any:
    """What is no object of Keras: arrays, bytes, slices."""
    if name == "__tensor__" or name == "__numpy__":
        return np.array(inner["value"], dtype=inner["dtype"])
    if name == "__bytes__":
        return inner["value"].encode("utf-8")
    if name == "__ellipsis__":
        return Ellipsis
    if name == "__slice__":
        parts = deserialize_keras_object([inner["start"], inner["stop"], inner["step"]])
        return slice(*parts)
    if name == "__keras_tensor__":
        from oxhorn._tensor import KerasTensor

        return KerasTensor(inner["shape"], dtype=inner["dtype"])
    if name == "__lambda__":
        raise ValueError(
            "Requested the deserialization of a Python lambda. This carries a potential risk of "
            "arbitrary code execution and thus it is disallowed. Oxhorn has no setting that allows "
            "it: save the model with a named function instead."
        )
    raise TypeError(f"Cannot deserialize what Keras writes as '{name}': {inner}")


def _function(name: str, config: dict[str, Any], custom_objects: dict[str, Any]) -> Any:
    custom = get_registered_object(name, custom_objects)
    if custom is not None:
        return custom
    package = str(config.get("module") or "builtins").partition(".")[0]
    if package not in ("builtins", "keras", "oxhorn"):
        raise ValueError(
            f"The function `{name}` of `{config['module']}` is not called: nothing in a file is "
            "run, opened or fetched. A function of one's own has to be registered."
        )
    for module in FUNCTION_MODULES:
        found = _member(module, name)
        if isinstance(found, FunctionType):
            return found
    raise UnknownObjectError(name, config)


def _object(name: str, inner: Any, config: dict[str, Any], custom_objects: dict[str, Any]) -> Any:
    if not isinstance(inner, dict):
        raise TypeError(
            f"Expected 'config' to be a dict for {name}, instead got {type(inner)}. "
            f"Full config: {config}"
        )
    cls = _class(name, config, custom_objects)
    if isinstance(cls, FunctionType):
        return cls
    if not hasattr(cls, "from_config"):
        raise TypeError(
            f"Unable to reconstruct an instance of '{name}' because the class is missing a "
            f"`from_config()` method. Full object config: {config}"
        )
    with CustomObjectScope(custom_objects):
        try:
            instance = cls.from_config(inner)
        except TypeError as error:
            raise TypeError(
                f"{cls} could not be deserialized properly. Please ensure that components that are "
                "Python object instances (layers, models, etc.) returned by `get_config()` are "
                "explicitly deserialized in the model's `from_config()` method."
                f"\n\nconfig={config}.\n\nException encountered: {error}"
            ) from error
        if config.get("build_config") and not instance.built:
            instance.build_from_config(config["build_config"])
            instance.built = True
        if config.get("compile_config"):
            instance.compile_from_config(config["compile_config"])
            instance.compiled = True
    return instance


def _class(name: str, config: dict[str, Any], custom_objects: dict[str, Any]) -> Any:
    """The class that a dictionary is of: a registered one, or Keras' own."""
    registered = config.get("registered_name") or name
    custom = get_registered_object(registered, custom_objects)
    if custom is None and "module" not in config:
        custom = get_registered_object(name, custom_objects)
    if custom is not None:
        return custom
    reason = _native.refusal(name)
    if reason is not None and name != "Lambda":
        raise ValueError(
            f"`{name}` is not made from a file: {reason}. Nothing in a file is run, opened or "
            "fetched."
        )
    module = config.get("module", "")
    if module is None:
        raise UnknownObjectError(name, config)
    if f"{module}.{name}" in PUBLIC.values():
        own = next(path for path, public in PUBLIC.items() if public == f"{module}.{name}")
        found = _member(own.rpartition(".")[0].removeprefix("oxhorn."), name)
        if found is not None:
            return found
    # Classes that Keras lacks are written down as Oxhorn's: `oxhorn.layers`.
    package, _, own = module.partition(".")
    if package in ("keras", "oxhorn") and own in MODELING:
        found = _member(own, name)
        if isinstance(found, type):
            return found
    # Older files say where a class was defined, or nothing.
    for older in CLASS_MODULES if not module or module.startswith("keras") else ():
        found = _member(older, name)
        if isinstance(found, type):
            return found
    raise UnknownObjectError(name, config)


def _member(module: str, name: str) -> Any:
    """What one of our modules has under a name, or `None`."""
    try:
        found = importlib.import_module(f"oxhorn.{module}" if module else "oxhorn")
    except ModuleNotFoundError:
        return None
    value = getattr(found, name, None)
    # Helpers that a module happens to have are no objects that a file may name.
    public = getattr(found, "__all__", None)
    if public is None:
        return value if getattr(value, "__module__", None) == found.__name__ else None
    return value if name in public and name not in HELPERS else None
