"""CIFAR-10: 60,000 colour pictures, 32 by 32 pixels, in 10 classes."""

from __future__ import annotations

import os

import numpy as np

from oxhorn.datasets.cifar import ORIGIN, as_configured, load_batch
from oxhorn.datasets.shuffling import Split
from oxhorn.utils.files import get_file


def load_data() -> Split:
    """Returns `(x_train, y_train), (x_test, y_test)`.

    Images are `uint8` of shape `(samples, 32, 32, 3)`, or with the channels first where the
    configuration says so. Labels, of shape `(samples, 1)`, are 0 airplane, 1 automobile, 2 bird,
    3 cat, 4 deer, 5 dog, 6 frog, 7 horse, 8 ship, 9 truck.
    """
    folder = get_file(
        fname="cifar-10-batches-py-target",
        origin=f"{ORIGIN}cifar-10-python.tar.gz",
        extract=True,
        file_hash="6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce",
    )
    folder = os.path.join(folder, "cifar-10-batches-py")
    batches = [load_batch(os.path.join(folder, f"data_batch_{i}")) for i in range(1, 6)]
    x_train = np.concatenate([images for images, _ in batches])
    y_train = np.concatenate([labels for _, labels in batches]).astype("uint8")
    x_test, y_test = load_batch(os.path.join(folder, "test_batch"))
    train = as_configured(x_train), y_train
    return train, (as_configured(x_test), y_test.astype("uint8"))
