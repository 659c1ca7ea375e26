"""Boston housing: 506 prices of houses in 1978 and 13 numbers about their surroundings.

One of the numbers assumes that people prefer to live apart by race. The data is kept because
older texts use it; `california_housing` serves the same purpose.
"""

from __future__ import annotations

import numpy as np

from oxhorn.datasets.archives import ORIGIN
from oxhorn.datasets.shuffling import Split, check_test_split, shuffled_split
from oxhorn.utils.files import get_file


def load_data(path: str = "boston_housing.npz", test_split: float = 0.2, seed: int = 113) -> Split:
    """Returns `(x_train, y_train), (x_test, y_test)`, with prices in thousands of dollars.

    Args:
        path: the file's name in the cache.
        test_split: share of the samples that is kept for testing.
        seed: seed of the shuffling before the split.
    """
    check_test_split(test_split)
    path = get_file(
        path,
        origin=f"{ORIGIN}boston_housing.npz",
        file_hash="f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5",
    )
    with np.load(path, allow_pickle=False) as file:
        return shuffled_split(file["x"], file["y"], test_split, seed)
