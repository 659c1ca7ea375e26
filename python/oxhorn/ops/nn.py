"""The functions of neural networks by their other place: `ops.nn.relu` is `ops.relu`."""

from __future__ import annotations

from typing import Any

from oxhorn._generated.ops import NN


def __getattr__(name: str) -> Any:
    if name in NN:
        from oxhorn import ops

        return getattr(ops, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*NN]
