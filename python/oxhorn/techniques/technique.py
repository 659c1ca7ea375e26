"""`RegistryTechnique`: what is done to a step of training from outside of the network."""

from __future__ import annotations

from oxhorn._naming import snake_case
from oxhorn._registry import RegistryObject


class RegistryTechnique(RegistryObject):
    """A technique, all of which Rust has.

    Settings that are numbers of the step, such as `Mixup.alpha`, may be set while the model trains,
    by a callback or between two calls of `fit`.
    """

    _category = "techniques"

    @classmethod
    def _scope(cls) -> str:
        """What the paths of its numbers begin with."""
        return f"techniques/{snake_case(cls._class.rpartition('.')[2])}/"
