"""Activations as functions: each is written down, or run at once on arrays."""

from __future__ import annotations

import json
from typing import Any

from oxhorn import _native
from oxhorn._functions import run
from oxhorn._registry import plain


def apply(name: str, x: Any, **settings: Any) -> Any:
    """The activation of this name, with these settings, on a tensor or an array."""
    text = envelope(name, settings)
    return run(text, lambda x: _native.apply_activation(text, x), x)


def envelope(name: str, settings: dict[str, Any]) -> str:
    """What Rust calls the activation."""
    given = {key: plain(value) for key, value in settings.items()}
    return json.dumps({"module": "keras.activations", "class_name": name, "config": given})
