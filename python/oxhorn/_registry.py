"""Objects that Rust has: their settings as attributes here, their mathematics there.

What passes between the two is Keras' dictionary of an object, its envelope, as JSON.
"""

from __future__ import annotations

import json
import math
import random
from typing import Any

import numpy as np

from oxhorn import _native


def draw_seed() -> int:
    """The next seed for an object without one, from Python's stream, as Keras draws it."""
    return random.randint(1, int(1e9))


class RegistryObject:
    """An object whose class Rust has.

    Settings are attributes of their names. `_fields` says of each what it is, and `_class` what
    Rust calls the class.
    """

    _class: str
    _category: str
    _fields: dict[str, str] = {}
    # Settings that Keras' class lacks, with their defaults.
    _added: dict[str, Any] = {}

    def _configure(self, **settings: Any) -> None:
        """Takes the settings, and has Rust check them."""
        for name, value in settings.items():
            object.__setattr__(self, name, as_setting(self._fields.get(name, "plain"), value))
        self._draw_seed()
        self._check()

    def _draw_seed(self) -> None:
        """Draws a seed where the object is random and was given none."""
        if self._fields.get("seed") == "seed":
            given = self.__dict__.get("seed")
            if given is not None and not isinstance(given, (int, np.integer)):
                from oxhorn.random.seed_generator import SeedGenerator

                if not isinstance(given, SeedGenerator):
                    raise ValueError(f"Argument `seed` must be an integer. Received: seed={given}")
                given = given.initial_seed
            self._drawn_seed = given if given is not None or not self._is_random() else draw_seed()

    def _is_random(self) -> bool:
        """Whether it needs a seed at all."""
        return True

    def _check(self) -> None:
        _native.check(self._category, self._envelope())

    def _refuse(self, **settings: Any) -> None:
        """Refuses settings of Keras that are not supported, unless they say nothing."""
        for name, value in settings.items():
            if value is not None and value is not False:
                raise NotImplementedError(
                    f"Argument `{name}` of `{type(self).__name__}` is not supported by Oxhorn. "
                    f"Received: {name}={value}"
                )

    def _settings(self) -> dict[str, Any]:
        """The settings as JSON has them, with seeds as they were drawn."""
        settings = {}
        for name, kind in self._fields.items():
            value = getattr(self, name)
            if kind == "seed":
                value = getattr(self, "_drawn_seed", None)
            settings[name] = as_json(kind, value)
        return settings

    def _envelope(self) -> str:
        module, _, name = self._class.rpartition(".")
        return json.dumps({"module": module, "class_name": name, "config": self._settings()})

    def get_config(self) -> dict[str, Any]:
        """The settings as a dictionary that `from_config` takes."""
        from oxhorn._identifiers import serialized_setting

        config = {}
        for name, kind in self._fields.items():
            value = getattr(self, name)
            # Without what says nothing that Keras lacks, Keras reads it too.
            if name not in self._added or value != self._added[name]:
                config[name] = serialized_setting(kind, value)
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """The object with these settings."""
        return cls(**config)


def as_setting(kind: str, value: Any) -> Any:
    """The value of a setting as an attribute: objects instead of their names."""
    if kind == "plain" or kind == "seed" or value is None and kind != "activation":
        return plain(value)
    if kind == "activation":
        from oxhorn import activations

        return activations.get(value)
    if kind == "initializer":
        from oxhorn import initializers

        return initializers.get(value)
    if kind == "regularizer":
        from oxhorn import regularizers

        return regularizers.get(value)
    if kind == "constraint":
        from oxhorn import constraints

        return constraints.get(value)
    return value


def plain(value: Any) -> Any:
    """A value without NumPy's scalars, and lists as tuples."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (list, tuple)):
        return tuple(plain(item) for item in value)
    return value


def as_json(kind: str, value: Any) -> Any:
    """The value of a setting as Rust takes it."""
    if kind in ("activation", "initializer", "regularizer", "constraint", "optimizer"):
        text = envelope(value, kind)
        return None if text is None else json.loads(text)
    if kind == "learning_rate":
        return json.loads(value._envelope()) if hasattr(value, "_envelope") else float(value)
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"A setting must be a finite number. Received: {value}")
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, tuple):
        return [as_json("plain", item) for item in value]
    return value


def envelope(value: Any, kind: str) -> str | None:
    """The envelope of an object, Rust's or Python's own."""
    if value is None:
        return None
    if hasattr(value, "_envelope"):
        return value._envelope()
    name = getattr(value, "_registry_name", None)
    if name is not None:
        return json.dumps({"module": "keras.activations", "class_name": name, "config": {}})
    return foreign(value, {})


def foreign(value: Any, settings: dict[str, Any]) -> str:
    """The envelope of a Python object, made once."""
    known = getattr(value, "_foreign_envelope", None)
    if known is None:
        known = _native.foreign(value, json.dumps(settings))
        try:
            value._foreign_envelope = known
        except AttributeError:
            pass  # Bound methods and functions of C take no attributes: they are registered anew.
    return known
