"""Lets `import keras` give Oxhorn: the same module objects under Keras' names.

`keras.layers`, `tf_keras.layers` and `tensorflow.keras.layers` are `oxhorn.layers` once this is
installed. `tensorflow` itself is the stand-in of `oxhorn.tensorflow`.
"""

from __future__ import annotations

import importlib
import sys
import types
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec

# The names under which scripts import Keras.
KERAS = ("keras", "tf_keras", "tensorflow.keras")
# What Keras keeps for itself.
PRIVATE = ("src", "_tf_keras")


def install() -> None:
    """Makes imports of Keras give Oxhorn from now on; a second call changes nothing."""
    if not any(isinstance(finder, Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, Finder())


class Finder(MetaPathFinder):
    """Finds Oxhorn's modules under the names of Keras and TensorFlow."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module that stands for this one; None where the name is none of ours."""
        for name in KERAS:
            if fullname == name or fullname.startswith(name + "."):
                return spec(fullname, oxhorn_module(fullname, fullname[len(name) :]))
        if fullname == "tensorflow" or fullname.startswith("tensorflow."):
            return spec(fullname, tensorflow_module(fullname))
        return None


class Present(Loader):
    """Hands out a module that exists already, under one more name."""

    def __init__(self, module: types.ModuleType) -> None:
        self.module = module
        self.own = module.__spec__

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        """The module itself."""
        return self.module

    def exec_module(self, module: types.ModuleType) -> None:
        """Gives back the module's own spec, which the import system replaced meanwhile."""
        module.__spec__ = self.own


def spec(name: str, module: types.ModuleType) -> ModuleSpec:
    """How the import system is told of a module that exists."""
    return ModuleSpec(name, Present(module), is_package=hasattr(module, "__path__"))


def oxhorn_module(fullname: str, inside: str) -> types.ModuleType:
    """The module of Oxhorn for one of Keras; `inside` is its name after that of Keras itself."""
    first = inside.split(".")[1] if inside else ""
    if first in PRIVATE:
        message = f"`{fullname}` is private to Keras: import from `keras` what it has in public"
        raise ImportError(message, name=fullname)
    name = f"oxhorn{inside}"
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        # Anything else is missing within a module that exists.
        if error.name != name:
            raise
    message = f"No module named {fullname!r}: Oxhorn has no `keras{inside}`"
    raise ModuleNotFoundError(message, name=fullname)


def tensorflow_module(fullname: str) -> types.ModuleType:
    """The stand-in for `tensorflow`, or a part of it."""
    from oxhorn.tensorflow import tensorflow

    module: object = tensorflow
    for part in fullname.split(".")[1:]:
        try:
            module = getattr(module, part)
        except AttributeError as error:
            raise ImportError(str(error), name=fullname) from None
    if not isinstance(module, types.ModuleType):
        message = f"No module named {fullname!r}: it is no module, so write `from … import …`"
        raise ModuleNotFoundError(message, name=fullname)
    return module
