"""Functions of pictures, of which there are none yet."""

from __future__ import annotations

from typing import Any

from oxhorn._generated.ops import IMAGE


def __getattr__(name: str) -> Any:
    if name in IMAGE:
        from oxhorn._generated import missing_image

        return getattr(missing_image, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
