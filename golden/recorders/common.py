"""What all recorders of Keras share: the format of files, and of Keras' objects in them."""

import jax
import keras
import numpy as np

from .format import HERE, array, arrays, clear, made_up, normal, number, uniform, write_under

__all__ = [
    *["HERE", "array", "arrays", "clear", "made_up", "normal", "number", "uniform"],
    *["envelope", "fresh", "plain", "write"],
]

assert keras.__version__ == "3.15.1" and keras.backend.backend() == "jax" and keras.config.floatx() == "float32"


def envelope(obj):
    """The object's config exactly as Keras serializes it, less what is about sharing and building."""
    return plain(keras.saving.serialize_keras_object(obj))


def plain(v):
    if isinstance(v, dict):
        return {k: plain(w) for k, w in v.items() if k not in ("shared_object_id", "build_config")}
    if isinstance(v, (list, tuple)):
        return [plain(w) for w in v]
    if isinstance(v, (float, np.generic)):
        return number(v)
    return v


def fresh():
    """Start Keras' automatic names from the beginning again, so that a file does not depend on its neighbours."""
    keras.backend.clear_session()


def write(folder, name, cases, **about):
    """folder/name.json: {"keras", "backend", what about says, "cases"}, one case a line."""
    write_under({"keras": keras.__version__, "backend": f"jax {jax.__version__}", **about}, folder, name, cases)
