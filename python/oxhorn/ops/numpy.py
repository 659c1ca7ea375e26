"""NumPy's functions by their other place: `ops.numpy.sum` is `ops.sum`."""

from __future__ import annotations

from typing import Any

from oxhorn._generated.ops import NUMPY


def __getattr__(name: str) -> Any:
    if name in NUMPY:
        from oxhorn import ops

        return getattr(ops, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*NUMPY]
