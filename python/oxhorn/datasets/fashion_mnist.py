"""Fashion-MNIST: 70,000 pictures of clothes, 28 by 28 pixels of grey, in 10 classes."""

from __future__ import annotations

import gzip
import os

import numpy as np

from oxhorn.datasets.archives import ORIGIN
from oxhorn.datasets.shuffling import Split
from oxhorn.utils.files import get_file


def load_data() -> Split:
    """Returns `(x_train, y_train), (x_test, y_test)`.

    Images are `uint8` of shape `(samples, 28, 28)`; labels are 0 T-shirt, 1 trouser,
    2 pullover, 3 dress, 4 coat, 5 sandal, 6 shirt, 7 sneaker, 8 bag, 9 ankle boot.
    """
    y_train = _read("train-labels-idx1-ubyte.gz", header=8)
    x_train = _read("train-images-idx3-ubyte.gz", header=16)
    y_test = _read("t10k-labels-idx1-ubyte.gz", header=8)
    x_test = _read("t10k-images-idx3-ubyte.gz", header=16)
    train = x_train.reshape(len(y_train), 28, 28), y_train
    return train, (x_test.reshape(len(y_test), 28, 28), y_test)


def _read(name: str, header: int) -> np.ndarray:
    folder = os.path.join("datasets", "fashion-mnist")
    path = get_file(name, origin=ORIGIN + name, cache_subdir=folder)
    with gzip.open(path, "rb") as file:
        return np.frombuffer(file.read(), np.uint8, offset=header)
