"""Whether files that hold code may be loaded, said once for the whole process."""

from __future__ import annotations

_unsafe = False


def enable_unsafe_deserialization() -> None:
    """Allows files that hold code, such as lambdas, to be loaded where `safe_mode` is not set."""
    global _unsafe
    _unsafe = True


def is_unsafe_deserialization_enabled() -> bool:
    """Whether `enable_unsafe_deserialization` was called."""
    return _unsafe
