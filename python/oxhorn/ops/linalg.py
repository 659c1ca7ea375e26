"""The functions of linear algebra by their other place: `ops.linalg.norm` is `ops.norm`."""

from __future__ import annotations

from typing import Any

from oxhorn._generated.ops import LINALG


def __getattr__(name: str) -> Any:
    if name in LINALG:
        from oxhorn import ops

        return getattr(ops, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return [*LINALG]
