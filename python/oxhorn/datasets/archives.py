"""Reading the archives of data sets, some of which hold pickled lists, without running code."""

from __future__ import annotations

import io
import pickle
import zipfile
from typing import Any

import numpy as np

ORIGIN = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
ALLOWED = frozenset(
    {
        ("numpy", "ndarray"),
        ("numpy", "dtype"),
        ("numpy.core.multiarray", "_reconstruct"),
        ("numpy._core.multiarray", "_reconstruct"),
    }
)


class ArrayUnpickler(pickle.Unpickler):
    """An unpickler that knows arrays, and refuses every other class or function."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(
                f"Refusing to deserialize `{module}.{name}` while loading a Keras dataset. The "
                "file may be corrupted or malicious."
            )
        return super().find_class(module, name)


def load_arrays(path: str) -> dict[str, np.ndarray]:
    """The arrays of an `.npz` file, among which may be arrays of lists."""
    with zipfile.ZipFile(path) as archive:
        members = [name for name in archive.namelist() if name.endswith(".npy")]
        return {name.removesuffix(".npy"): _array(archive.read(name)) for name in members}


def _array(content: bytes) -> np.ndarray:
    file = io.BytesIO(content)
    try:
        return np.lib.format.read_array(file, allow_pickle=False)
    except ValueError:
        # An array of objects: a header like that of others, then a pickle.
        file.seek(0)
        version = np.lib.format.read_magic(file)
        headers = {1: np.lib.format.read_array_header_1_0, 2: np.lib.format.read_array_header_2_0}
        if version[0] not in headers:
            raise ValueError(f"Unsupported `.npy` file version: {version}.") from None
        headers[version[0]](file)
        return ArrayUnpickler(file).load()
