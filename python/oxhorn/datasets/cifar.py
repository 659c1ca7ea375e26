"""What CIFAR-10 and CIFAR-100 share: pickled batches of pictures, 32 by 32 pixels."""

from __future__ import annotations

import numpy as np

from oxhorn import config
from oxhorn.datasets.archives import ArrayUnpickler

ORIGIN = "https://www.cs.toronto.edu/~kriz/"


def load_batch(path: str, label_key: str = "labels") -> tuple[np.ndarray, np.ndarray]:
    """Images, channels first, and a column of labels."""
    with open(path, "rb") as file:
        batch = ArrayUnpickler(file, encoding="bytes").load()
    images = batch[b"data"]
    labels = np.array(batch[label_key.encode()])
    return images.reshape(len(images), 3, 32, 32), labels.reshape(-1, 1)


def as_configured(images: np.ndarray) -> np.ndarray:
    """The images with channels where `image_data_format()` has them."""
    last = config.image_data_format() == "channels_last"
    return images.transpose(0, 2, 3, 1) if last else images
