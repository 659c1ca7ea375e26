"""`McPrediction`: samples of a prediction, and what they say of its uncertainty."""

from __future__ import annotations

from typing import Any

import numpy as np


class McPrediction:
    """What `Model.predict_mc` gives: samples of the predictions for some inputs.

    `predictive_entropy`, `mutual_information` and `variation_ratio` are for models that end with
    probabilities: those of classes along the last axis, which is left out of the result, or that of
    one event on a last axis of extent 1. They raise a `ValueError` for any others.

    Args:
        native: the samples, as Rust has them.
    """

    def __init__(self, native: Any) -> None:
        self._native = native

    @property
    def samples(self) -> np.ndarray:
        """All samples: `(samples, inputs, ...)`."""
        return self._native.samples()

    @property
    def mean(self) -> np.ndarray:
        """The mean over the samples: `(inputs, ...)`."""
        return self._native.mean()

    @property
    def std(self) -> np.ndarray:
        """The standard deviation of the samples, as NumPy's with `ddof=0`: `(inputs, ...)`."""
        return self._native.std()

    @property
    def predictive_entropy(self) -> np.ndarray:
        """The entropy of the mean prediction in nats: its uncertainty for whatever reason."""
        return self._native.predictive_entropy()

    @property
    def mutual_information(self) -> np.ndarray:
        """Predictive entropy less the samples' mean entropy (BALD): how much they disagree."""
        return self._native.mutual_information()

    @property
    def variation_ratio(self) -> np.ndarray:
        """One minus the share of the samples that predict the most frequent class."""
        return self._native.variation_ratio()

    def interval(self, level: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
        """The numbers between which this share of the samples lies: quantiles, as NumPy's.

        Args:
            level: the share, from 0 to 1; equally many of the others are below and above.
        """
        return self._native.interval(float(level))

    def __repr__(self) -> str:
        return f"<McPrediction samples={self.samples.shape}>"
