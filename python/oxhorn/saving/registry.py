"""The registry of custom classes and functions, by which saved models find them again."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from typing import Any

_objects: dict[str, Any] = {}
_names: dict[Any, str] = {}
_local = threading.local()


class CustomObjectScope:
    """Makes custom objects known by name within a `with` block.

    Scopes do not add up: within an inner one, those of the outer one are not known.
    """

    def __init__(self, custom_objects: dict[str, Any] | None) -> None:
        self.custom_objects = custom_objects or {}
        self.backup: dict[str, Any] = {}

    def __enter__(self) -> CustomObjectScope:
        self.backup = scoped_objects()
        _local.objects = self.custom_objects.copy()
        return self

    def __exit__(self, *args: Any, **kwargs: Any) -> None:
        _local.objects = self.backup


custom_object_scope = CustomObjectScope


def scoped_objects() -> dict[str, Any]:
    """The objects of the innermost scope of this thread."""
    return getattr(_local, "objects", {})


def get_custom_objects() -> dict[str, Any]:
    """The objects known everywhere; entries may be added and removed."""
    return _objects


def register_keras_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[Any], Any]:
    """Decorator that registers a class or function as `package>name`.

    Saved models call it by that name, and find it by that name when they are loaded. `name` is
    that of the object itself by default. A class must have a `get_config` method.
    """

    def decorator(arg: Any) -> Any:
        registered_name = f"{package}>{name if name is not None else arg.__name__}"
        if inspect.isclass(arg) and not hasattr(arg, "get_config"):
            raise ValueError("Cannot register a class that does not have a get_config() method.")
        _objects[registered_name] = arg
        _names[arg] = registered_name
        return arg

    return decorator


def get_registered_name(obj: Any) -> str:
    """The name under which a class or function is registered, or else its own."""
    return _names[obj] if obj in _names else obj.__name__


def get_registered_object(
    name: str,
    custom_objects: dict[str, Any] | None = None,
    module_objects: dict[str, Any] | None = None,
) -> Any:
    """The object of that name in the scope, the registry or the two dictionaries, or `None`."""
    for objects in (scoped_objects(), _objects, custom_objects or {}, module_objects or {}):
        if name in objects:
            return objects[name]
    return None
