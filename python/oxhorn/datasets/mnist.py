"""MNIST: 70,000 handwritten digits, 28 by 28 pixels of grey."""

from __future__ import annotations

import numpy as np

from oxhorn.datasets.archives import ORIGIN
from oxhorn.datasets.shuffling import Split
from oxhorn.utils.files import get_file


def load_data(path: str = "mnist.npz") -> Split:
    """Returns `(x_train, y_train), (x_test, y_test)`.

    Images are `uint8` of shape `(samples, 28, 28)`, labels digits. `path` is the file's name in
    the cache.
    """
    path = get_file(
        fname=path,
        origin=f"{ORIGIN}mnist.npz",
        file_hash="731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1",
    )
    with np.load(path, allow_pickle=False) as file:
        return (file["x_train"], file["y_train"]), (file["x_test"], file["y_test"])
