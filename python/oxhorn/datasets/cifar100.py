"""CIFAR-100: 60,000 colour pictures, 32 by 32 pixels, in 100 classes of 20 kinds."""

from __future__ import annotations

import os

from oxhorn.datasets.cifar import ORIGIN, as_configured, load_batch
from oxhorn.datasets.shuffling import Split
from oxhorn.utils.files import get_file


def load_data(label_mode: str = "fine") -> Split:
    """Returns `(x_train, y_train), (x_test, y_test)`.

    Images are `uint8` of shape `(samples, 32, 32, 3)`, or with the channels first where the
    configuration says so. Labels have the shape `(samples, 1)`; `label_mode` is `"fine"` for
    the 100 classes and `"coarse"` for the 20 kinds.
    """
    if label_mode not in ("fine", "coarse"):
        raise ValueError(
            f'`label_mode` must be one of `"fine"`, `"coarse"`. Received: label_mode={label_mode}.'
        )
    folder = get_file(
        fname="cifar-100-python-target",
        origin=f"{ORIGIN}cifar-100-python.tar.gz",
        extract=True,
        file_hash="85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7",
    )
    folder = os.path.join(folder, "cifar-100-python")
    x_train, y_train = load_batch(os.path.join(folder, "train"), f"{label_mode}_labels")
    x_test, y_test = load_batch(os.path.join(folder, "test"), f"{label_mode}_labels")
    return (as_configured(x_train), y_train), (as_configured(x_test), y_test)
