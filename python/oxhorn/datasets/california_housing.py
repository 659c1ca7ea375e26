"""California housing: 20,640 districts of 1990, 8 numbers about each, and the median price."""

from __future__ import annotations

import numpy as np

from oxhorn.datasets.archives import ORIGIN
from oxhorn.datasets.shuffling import Split, check_test_split, shuffled_split
from oxhorn.utils.files import get_file


def load_data(
    version: str = "large",
    path: str = "california_housing.npz",
    test_split: float = 0.2,
    seed: int = 113,
) -> Split:
    """Returns `(x_train, y_train), (x_test, y_test)`, with prices in dollars.

    Args:
        version: `"large"` for all districts, `"small"` for 600 of them.
        path: the file's name in the cache.
        test_split: share of the samples that is kept for testing.
        seed: seed of the shuffling before the split.
    """
    check_test_split(test_split)
    if version not in ("small", "large"):
        raise ValueError(
            f"Argument `version` must be one of 'small', 'large'. Received: version={version}"
        )
    path = get_file(
        path,
        origin=f"{ORIGIN}california_housing.npz",
        file_hash="1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f",
    )
    with np.load(path, allow_pickle=False) as file:
        x, y = file["x"], file["y"]
    count = 600 if version == "small" else len(x)
    return shuffled_split(x[:count], y[:count], test_split, seed)
