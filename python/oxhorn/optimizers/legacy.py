"""The optimizers of Keras 2 by their old place, which say where they are now."""

from __future__ import annotations

from typing import Any


class _Legacy:
    """An optimizer that is not here."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        name = type(self).__name__
        raise ImportError(
            f"`keras.optimizers.legacy` is not supported in Keras 3. Use "
            f"`keras.optimizers.{name}` instead of `keras.optimizers.legacy.{name}`."
        )


class Adagrad(_Legacy):
    """Not here: see `keras.optimizers.Adagrad`."""


class Adam(_Legacy):
    """Not here: see `keras.optimizers.Adam`."""


class Ftrl(_Legacy):
    """Not here: see `keras.optimizers.Ftrl`."""


class Optimizer(_Legacy):
    """Not here: see `keras.optimizers.Optimizer`."""


class RMSprop(_Legacy):
    """Not here: see `keras.optimizers.RMSprop`."""


class SGD(_Legacy):
    """Not here: see `keras.optimizers.SGD`."""
