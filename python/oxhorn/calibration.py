"""Calibration: whether a classifier's probabilities mean what they say, and how to mend them.

A classifier is calibrated if of all that it is 80 % sure of, 80 % is right. Keras has nothing of
the kind; the numbers are those of torchmetrics and scikit-learn.

Labels are the numbers of classes, or one-hot. Probabilities are an array of samples by classes
whose rows sum to 1. A single column, or an array of one axis, is the probability of class 1: that
is then compared with how often class 1 is true. Of two columns or more, each sample's greatest
probability is compared with how often that class is right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from oxhorn import _native, tree
from oxhorn.models.data import as_samples, is_stream, to_numpy

if TYPE_CHECKING:
    from oxhorn.models.model import Model

__all__ = [
    "ReliabilityCurve",
    "brier_score",
    "calibrate",
    "expected_calibration_error",
    "fit_temperature",
    "maximum_calibration_error",
    "negative_log_likelihood",
    "plot_reliability",
    "reliability_curve",
]

STRATEGIES = ("uniform", "quantile")


@dataclass(frozen=True, eq=False)
class ReliabilityCurve:
    """Samples in bins by their confidence, and how often each bin was right.

    Attributes:
        lower: where each bin begins.
        upper: where it ends.
        count: how many samples are in it.
        confidence: their mean confidence, NaN where there are none.
        accuracy: the share of them that came true, NaN where there are none.
        expected_error: the mean over samples of their bin's distance of confidence from accuracy,
            known as ECE.
        maximum_error: the greatest such distance, known as MCE.
        root_mean_square_error: the root of the mean over samples of its square.
    """

    lower: np.ndarray
    upper: np.ndarray
    count: np.ndarray
    confidence: np.ndarray
    accuracy: np.ndarray
    expected_error: float
    maximum_error: float
    root_mean_square_error: float


def reliability_curve(
    y_true: Any, y_prob: Any, *, bins: int = 15, strategy: str = "uniform"
) -> ReliabilityCurve:
    """How often a classifier is right, by how sure it is.

    Args:
        y_true: the labels.
        y_prob: the probabilities.
        bins: how many bins there are.
        strategy: `"uniform"` for bins of one width, each without its upper edge, so that a
            confidence of exactly 1 is in a bin of its own, as in torchmetrics; `"quantile"` for
            bins of about as many samples each, as in scikit-learn's `calibration_curve`.
    """
    if strategy not in STRATEGIES:
        raise ValueError(f"`strategy` must be one of {STRATEGIES}. Received: strategy={strategy!r}")
    if isinstance(bins, bool) or not isinstance(bins, (int, np.integer)) or bins < 1:
        raise ValueError(f"`bins` must be a positive integer. Received: bins={bins!r}")
    drawn = _native.reliability(as_samples(y_true), _rows(y_prob), int(bins), strategy)
    count = np.array(drawn.pop("count"))
    for name in ("lower", "upper", "confidence", "accuracy"):
        drawn[name] = np.array(drawn[name])
    for name in ("confidence", "accuracy"):
        drawn[name][count == 0] = np.nan
    return ReliabilityCurve(count=count, **drawn)


def expected_calibration_error(
    y_true: Any, y_prob: Any, *, bins: int = 15, strategy: str = "uniform"
) -> float:
    """The mean over samples of their bin's distance of confidence from accuracy, from 0 to 1.

    It equals torchmetrics' `MulticlassCalibrationError`. The metric that training can watch is
    `oxhorn.metrics.ExpectedCalibrationError`.

    Args:
        y_true: the labels.
        y_prob: the probabilities.
        bins: how many bins there are.
        strategy: `"uniform"` for bins of one width, `"quantile"` for bins of about as many samples.
    """
    return reliability_curve(y_true, y_prob, bins=bins, strategy=strategy).expected_error


def maximum_calibration_error(
    y_true: Any, y_prob: Any, *, bins: int = 15, strategy: str = "uniform"
) -> float:
    """The distance of confidence from accuracy in the bin where it is greatest, from 0 to 1.

    Args:
        y_true: the labels.
        y_prob: the probabilities.
        bins: how many bins there are.
        strategy: `"uniform"` for bins of one width, `"quantile"` for bins of about as many samples.
    """
    return reliability_curve(y_true, y_prob, bins=bins, strategy=strategy).maximum_error


def brier_score(y_true: Any, y_prob: Any, *, scale_by_half: Any = "auto") -> float:
    """The mean over samples of the sum over classes of `(p - y)²`, where `y` is 1 for the true one.

    Args:
        y_true: the labels.
        y_prob: the probabilities; of a single column both classes are summed.
        scale_by_half: whether half of that is taken; `"auto"`, as in scikit-learn, where there
            are two classes.
    """
    if not (scale_by_half == "auto" or isinstance(scale_by_half, (bool, np.bool_))):
        raise ValueError(
            "`scale_by_half` must be 'auto', True or False. "
            f"Received: scale_by_half={scale_by_half!r}"
        )
    scale = None if isinstance(scale_by_half, str) else bool(scale_by_half)
    return _native.brier_score(as_samples(y_true), _rows(y_prob), scale)


def negative_log_likelihood(y_true: Any, y_prob: Any) -> float:
    """The mean over samples of `-ln p` of the true class: scikit-learn's `log_loss`.

    A probability of less than the epsilon of its type counts as that much.

    Args:
        y_true: the labels.
        y_prob: the probabilities.
    """
    return _native.negative_log_likelihood(as_samples(y_true), _rows(y_prob))


def fit_temperature(y_true: Any, y_prob: Any, *, from_logits: bool = False) -> float:
    """The temperature by which logits are divided to make these labels most likely.

    It is looked for from 0.01 to 100; where all samples are right, or none are, the likelihood has
    no greatest value, and one of these bounds is the answer. Guo et al., *On calibration of modern
    neural networks*, ICML 2017, <https://arxiv.org/abs/1706.04599>.

    Args:
        y_true: the labels.
        y_prob: the probabilities, or with `from_logits` the logits, of which a single column is
            those of class 1.
        from_logits: whether these are logits.
    """
    kind = "logits" if from_logits else "probabilities"
    return _native.fit_temperature(as_samples(y_true), _rows(y_prob), kind)


def calibrate(
    model: Model,
    x: Any,
    y: Any,
    *,
    from_logits: bool = False,
    batch_size: int | None = None,
) -> Model:
    """Fits a temperature to validation data, and gives the model with it as its last layer.

    A `Sequential` model gets the layer `oxhorn.layers.Temperature`, and is given back. Of a
    functional model a new one is made, whose layers are the model's own, with the layer on the
    output; it is compiled as the model is, with an optimizer that begins anew. A model that ends
    with the layer already has it fitted again. Weights stay as they are, and so does which class is
    the most probable.

    The data must be other than those that the model was trained on, of which it is surer than of
    any others. A model of logits gives probabilities from then on: to evaluate it, compile it with
    a loss of probabilities.

    Args:
        model: a classifier that gives a row of probabilities for each sample, or one of class 1.
        x: samples.
        y: their labels.
        from_logits: whether the model gives logits.
        batch_size: samples in a step.
    """
    from oxhorn.models.sequential import Sequential

    if is_stream(x) or y is None:
        raise ValueError(
            "Calibration needs samples and their labels as arrays. "
            f"Received: x of type {type(x)}, y of type {type(y)}"
        )

    def fitted(uncalibrated: Model) -> float:
        outputs = uncalibrated.predict(x, batch_size=batch_size, verbose=0)
        return fit_temperature(y, outputs, from_logits=from_logits)

    if isinstance(model, Sequential):
        return _calibrated_in_place(model, fitted, from_logits)
    return _calibrated_anew(model, fitted, from_logits)


def _calibrated_in_place(model: Any, fitted: Callable[[Any], float], from_logits: bool) -> Any:
    """A `Sequential` model, with the fitted layer at its end."""
    from oxhorn.layers import Temperature

    layer = None
    if model.layers and isinstance(model.layers[-1], Temperature):
        layer = model.pop()
    try:
        name = None if layer is None else layer.name
        temperature = fitted(model)
        layer = Temperature(temperature, from_logits=from_logits, name=name)
    finally:
        # After an error the model is as it was.
        if layer is not None:
            model.add(layer)
    return model


def _calibrated_anew(model: Any, fitted: Callable[[Any], float], from_logits: bool) -> Any:
    """A functional model of the same layers, and the fitted one behind them."""
    from oxhorn.layers import Temperature
    from oxhorn.models.model import Model

    graph = getattr(model, "_graph", None)
    if not isinstance(model, Model) or graph is None or len(graph.flat_outputs) != 1:
        raise ValueError(
            "Only `Sequential` and functional models with one output can be calibrated. Put any "
            "other into a model of its own: `Sequential([model])`. "
            f"Received: {model} (of type {type(model)})"
        )
    output, name, uncalibrated = graph.flat_outputs[0], None, model
    history = output._keras_history
    if isinstance(history.operation, Temperature):
        name = history.operation.name
        output = history.operation._inbound_nodes[history.node_index].input_tensors[0]
        uncalibrated = Model(graph.inputs, output)
    temperature = fitted(uncalibrated)
    output = Temperature(temperature, from_logits=from_logits, name=name)(output)
    outputs = tree.pack_sequence_as(graph.outputs, [output])
    calibrated = Model(graph.inputs, outputs, name=model.name)
    if model.compiled:
        optimizer = type(model.optimizer).from_config(model.optimizer.get_config())
        steps = model.steps_per_execution
        calibrated.compile(optimizer, steps_per_execution=steps, **model._compiled)
    return calibrated


def plot_reliability(
    y_true: Any, y_prob: Any, *, bins: int = 15, strategy: str = "uniform", ax: Any = None
) -> Any:
    """Draws how often a classifier is right over how sure it is; needs Matplotlib.

    On the diagonal it is as sure as it is right; bars that end below it are of samples that were
    trusted too much.

    Args:
        y_true: the labels.
        y_prob: the probabilities.
        bins: how many bins there are.
        strategy: `"uniform"` for bins of one width, `"quantile"` for bins of about as many samples.
        ax: Matplotlib's axes to draw on; those of a new figure where none are given.

    Returns:
        The axes.
    """
    curve = reliability_curve(y_true, y_prob, bins=bins, strategy=strategy)
    if ax is None:
        try:
            import matplotlib.pyplot as plt
        except ImportError as error:
            raise ImportError(
                "`plot_reliability` needs Matplotlib: install `matplotlib`, or draw what "
                "`reliability_curve` gives."
            ) from error
        _, ax = plt.subplots(figsize=(5, 5))
    some = curve.count > 0
    width = (curve.upper - curve.lower)[some]
    ax.bar(
        curve.lower[some], curve.accuracy[some], width, align="edge", color="#9ecae1", ec="#3182bd"
    )
    ax.plot([0, 1], [0, 1], "--", color="grey", label="as sure as right")
    ax.plot(curve.confidence[some], curve.accuracy[some], "o-", color="#08519c", label="bins")
    ax.set(xlim=(0, 1), ylim=(0, 1), xlabel="confidence", ylabel="accuracy")
    ax.set_title(f"calibration error {curve.expected_error:.4f}")
    ax.legend(loc="upper left")
    return ax


def _rows(y_prob: Any) -> np.ndarray:
    """Probabilities or logits as samples by classes."""
    array = to_numpy(y_prob)
    if array.dtype.kind not in "fiub" or array.ndim not in (1, 2):
        raise ValueError(
            "Probabilities must be an array of samples by classes, or one number a sample. "
            f"Received: an array of shape {array.shape} and dtype {array.dtype}"
        )
    array = array if array.dtype == "float32" else array.astype("float64")
    return array[:, None] if array.ndim == 1 else array
