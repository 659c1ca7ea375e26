"""How objects are named: by strings, dictionaries, classes and themselves, in every category."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any, TypeVar

from oxhorn._naming import snake_case
from oxhorn.saving.objects import (
    UnknownObjectError,
    deserialize_keras_object,
    serialize_keras_object,
)
from oxhorn.saving.registry import get_registered_object

# What stands for an object: its name, its dictionary, its class, or the object.
Identifier = str | dict[str, Any] | Callable[..., Any]

Function = TypeVar("Function", bound=Callable[..., Any])


def registry_function(function: Function) -> Function:
    """Marks a function that Rust has as an object of the same name."""
    function._registry_name = function.__name__  # type: ignore[attr-defined]
    return function


class Category:
    """The objects of one kind, such as losses, and how they are found and written down.

    Args:
        path: Keras' name of the module: `keras.losses`.
        noun: what messages call a member: `loss`.
        generated: the module of those that Rust has: their classes and functions in `__all__`, and
            further strings for them in `ALIASES`.
        fold: what makes a key of a name, so that `Adam` and `adam` are one.
        is_member: whether something is what `get` may return.
        default: what `None` stands for.
        own: members that are written by hand, or in place of generated ones, by name.
    """

    def __init__(
        self,
        path: str,
        noun: str,
        generated: ModuleType,
        fold: Callable[[str], str] | None = None,
        is_member: Callable[[Any], bool] = callable,
        default: Any = None,
        own: dict[str, Any] | None = None,
    ) -> None:
        self.path = path
        self.noun = noun
        self.generated = generated
        self.fold = fold or (lambda name: name)
        self.is_member = is_member
        self.default = default
        self.own = own or {}
        self._table: dict[str, Any] | None = None

    @property
    def table(self) -> dict[str, Any]:
        """Every string that names a class or function of Keras."""
        if self._table is None:
            own = {name: getattr(self.generated, name) for name in self.generated.__all__}
            own.update(self.own)
            aliases = getattr(self.generated, "ALIASES", {})
            classes = [value for value in own.values() if isinstance(value, type)]
            table = {snake_case(value.__name__): value for value in classes}
            # A loss' name in snake case is a function of its own, and so is what aliases it.
            table.update(own)
            for alias, value in aliases.items():
                table[alias] = own.get(snake_case(value.__name__), value)
            self._table = {self.fold(name): value for name, value in table.items()}
        return self._table

    def get(self, identifier: Any) -> Any:
        """The object that a name, a dictionary or a class stands for; others stand for themselves.

        Raises:
            ValueError: if nothing of this kind has the name.
        """
        if identifier is None:
            return self.default
        found = identifier
        if isinstance(identifier, dict):
            try:
                found = self.deserialize(identifier)
            except UnknownObjectError:
                found = None
        elif isinstance(identifier, str):
            found = self._named(identifier)
        if isinstance(found, type):
            found = found()
        if found is None or not self.is_member(found):
            raise ValueError(f"Could not interpret {self.noun} identifier: {identifier}")
        return found

    def serialize(self, obj: Any) -> Any:
        """The dictionary of an object or function."""
        return serialize_keras_object(obj)

    def deserialize(self, config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
        """The object that `serialize` has written down, or that a string names.

        Raises:
            TypeError: if nothing has the name.
        """
        if isinstance(config, str):
            found = self._named(config, custom_objects)
            if found is None:
                raise UnknownObjectError(config, config)
            return found() if isinstance(found, type) else found
        if isinstance(config, dict) and config.get("class_name") == "function":
            found = self._named(str(config.get("config")), custom_objects)
            return found or deserialize_keras_object(config, custom_objects)
        known = self._known(config, custom_objects)
        if isinstance(known, FunctionType):
            return known
        if known is not None:
            # The class' name may be a string for it, and the module that of an older Keras.
            own = {"module": self.path, "class_name": known.__name__, "registered_name": None}
            config = {"config": {}, **config, **own}
        return deserialize_keras_object(config, custom_objects)

    def _known(self, config: Any, custom_objects: dict[str, Any] | None) -> Any:
        """The class of Keras that a dictionary is of; `None` if that is for others to find."""
        if not isinstance(config, dict) or not isinstance(config.get("class_name"), str):
            return None
        name = config["class_name"]
        registered = config.get("registered_name") or name
        if get_registered_object(registered, custom_objects) is not None:
            return None
        known = self.table.get(self.fold(name))
        # Models are layers, and files of Keras 2 do not say where a class is from.
        if known is None and self.path != "keras.layers":
            if config.get("module", "") is None:
                raise UnknownObjectError(
                    name,
                    config,
                    f"Cannot deserialize object of type `{name}`. If `{name}` is a custom class, "
                    "please register it using the `@keras.saving.register_keras_serializable()` "
                    "decorator.",
                )
            if "module" not in config:
                raise UnknownObjectError(name, config)
        return known

    def _named(self, name: str, custom_objects: dict[str, Any] | None = None) -> Any:
        custom = get_registered_object(name, custom_objects)
        return self.table.get(self.fold(name)) if custom is None else custom


def serialized_setting(kind: str, value: Any) -> Any:
    """The value of a setting as `get_config` gives it; `kind` is that of `_fields`."""
    if kind == "activation":
        from oxhorn import activations

        return activations.serialize(value)
    if kind == "plain":
        return value
    return serialize_keras_object(value)


def not_available(module: str, name: str, missing: tuple[str, ...]) -> AttributeError:
    """The error of asking a module for a name that it does not have."""
    text = f"module {module!r} has no attribute {name!r}"
    if name in missing:
        names = sorted(it for it in sys.modules[module].__all__ if it[0].isupper())
        text += f": `{name}` of Keras is not available in Oxhorn. Available are {', '.join(names)}"
    return AttributeError(text)


def not_implemented(path: str) -> NotImplementedError:
    """The error of calling a function of Keras that Oxhorn has not."""
    module, _, name = path.rpartition(".")
    names = getattr(sys.modules[f"oxhorn.{module}"], "__all__", [])
    available = f"Available in `{module}` are {', '.join(sorted(names)) or 'none'}"
    return NotImplementedError(f"`{path}` of Keras is not available in Oxhorn. {available}")
