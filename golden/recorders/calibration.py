"""Calibration of classifiers: torchmetrics' errors by bins, scikit-learn's scores and curves."""

import numpy as np
import sklearn
import torch
import torchmetrics
from sklearn.calibration import calibration_curve
from sklearn.metrics import accuracy_score, brier_score_loss, log_loss
from torchmetrics.classification import BinaryCalibrationError, MulticlassCalibrationError
from torchmetrics.functional.classification.calibration_error import _binning_bucketize

from .format import array, clear, made_up, write_under

NORMS = ["l1", "l2", "max"]
HEAD = {
    "torch": torch.__version__.split("+")[0],
    "torchmetrics": torchmetrics.__version__,
    "sklearn": sklearn.__version__,
    "numpy": np.__version__,
}


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return (e / e.sum(axis=1, keepdims=True)).astype("float32")


def made(samples, classes, scale, *name):
    """Probabilities of a classifier that is surer the larger the scale is, and labels that it often hits."""
    random = made_up("calibration", samples, classes, scale, *name)
    z = random.standard_normal((samples, classes))
    labels = (z * 1.5 + random.gumbel(size=z.shape)).argmax(axis=1)
    return softmax(z * scale), labels


def with_confidence(confidences, classes):
    """Rows whose greatest probability is as given, that of class 0; the others share the rest."""
    first = np.asarray(confidences, "float32")[:, None]
    rest = (np.float32(1) - first) / np.float32(classes - 1)
    return np.concatenate([first] + [rest] * (classes - 1), axis=1).astype("float32")


def bins_of(confidences, hits, bins):
    """torchmetrics' own bins: the last, beyond those asked for, is that of confidence 1."""
    edges = torch.linspace(0, 1, bins + 1, dtype=torch.float32)
    accuracy, confidence, share = _binning_bucketize(confidences, hits, edges)
    return {"edges": array(edges), "accuracy": array(accuracy), "confidence": array(confidence), "share": array(share)}


def multiclass(name, probabilities, labels, bins=15):
    classes = probabilities.shape[1]
    p, y = torch.from_numpy(probabilities), torch.from_numpy(np.asarray(labels, "int64"))
    errors = {
        norm: float(MulticlassCalibrationError(num_classes=classes, n_bins=bins, norm=norm)(p, y)) for norm in NORMS
    }
    confidences, predicted = p.max(dim=1)
    every = list(range(classes))
    return {
        "name": name,
        "probabilities": array(probabilities),
        "labels": [int(label) for label in labels],
        "bins": bins,
        "equal_width": bins_of(confidences, (predicted == y).float(), bins),
        **errors,
        "accuracy": float(accuracy_score(labels, predicted.numpy())),
        "brier_sum": brier_score_loss(labels, probabilities, labels=every, scale_by_half=False),
        "brier_auto": brier_score_loss(labels, probabilities, labels=every),
        "log_loss": log_loss(labels, probabilities, labels=every),
        "quantile": curve(np.asarray(predicted == y), np.asarray(confidences), bins, "quantile"),
    }


def curve(happened, probabilities, bins, strategy):
    """scikit-learn's curve, by the numbers as float64: the bins that are not empty."""
    true, predicted = calibration_curve(
        np.asarray(happened, "int64"), probabilities.astype("float64"), n_bins=bins, strategy=strategy, pos_label=1
    )
    return {"frequency": [float(v) for v in true], "mean": [float(v) for v in predicted]}


def binary(name, probabilities, labels, bins=15):
    probabilities = np.asarray(probabilities, "float32")
    p, y = torch.from_numpy(probabilities), torch.from_numpy(np.asarray(labels, "int64"))
    return {
        "name": name,
        "probabilities": array(probabilities[:, None]),
        "labels": [int(label) for label in labels],
        "bins": bins,
        "equal_width": bins_of(p, y.float(), bins),
        **{norm: float(BinaryCalibrationError(n_bins=bins, norm=norm)(p, y)) for norm in NORMS},
        "accuracy": float(accuracy_score(labels, probabilities > 0.5)),
        "brier_sum": brier_score_loss(labels, probabilities, scale_by_half=False, labels=[0, 1], pos_label=1),
        "brier_auto": brier_score_loss(labels, probabilities, labels=[0, 1], pos_label=1),
        "log_loss": log_loss(labels, probabilities, labels=[0, 1]),
        "quantile": curve(labels, probabilities, bins, "quantile"),
        "uniform": curve(labels, probabilities, bins, "uniform"),
    }


def multiclass_cases():
    for samples, classes, scale, bins in [(97, 10, 3.0, 15), (211, 3, 1.5, 15), (64, 2, 2.0, 10), (53, 5, 0.5, 7)]:
        yield multiclass(f"{samples} samples of {classes} classes", *made(samples, classes, scale), bins)
    yield multiclass("one sample, right", *[with_confidence([0.7], 3), [0]])
    yield multiclass("one sample, wrong", *[with_confidence([0.7], 3), [2]])
    yield multiclass("all right", *[with_confidence([0.5, 0.6, 0.9, 0.95, 0.99, 0.51, 0.8], 4), [0] * 7])
    yield multiclass("certain and right", *[with_confidence([1.0, 1.0, 1.0], 4), [0] * 3])
    yield multiclass("certain, once wrong", *[with_confidence([1.0, 1.0, 1.0, 0.97], 4), [0, 1, 0, 0]])
    yield multiclass("one bin", *made(31, 4, 2.0, "one bin"), 1)
    yield multiclass("all in one bin of fifteen", *[with_confidence([0.61, 0.62, 0.63], 3), [0, 1, 0]])
    yield multiclass("even odds", *[np.full((5, 2), 0.5, "float32"), [0, 1, 1, 0, 1]], 4)
    for bins in [4, 10, 15, 7, 25]:
        edges = torch.linspace(0, 1, bins + 1, dtype=torch.float32).numpy()
        rounded = (np.arange(bins + 1) / bins).astype("float32")
        confidences = [c for c in [*edges, *rounded] if c >= 0.5]
        labels = [i % 2 for i in range(len(confidences))]
        yield multiclass(f"on the edges of {bins} bins", with_confidence(confidences, 4), labels, bins)
    tied = with_confidence([0.9, 0.6, 0.9, 0.7, 0.9, 0.6, 0.9, 0.8, 0.9, 0.9, 0.6], 3)
    yield multiclass("ties", tied, [0, 1, 0, 0, 2, 0, 0, 1, 0, 0, 0], 5)


def binary_cases():
    for samples, bins, strength in [(101, 15, 2.0), (37, 10, 1.0), (500, 5, 4.0)]:
        random = made_up("calibration", "binary", samples)
        z = random.standard_normal(samples)
        labels = (random.random(samples) < 1 / (1 + np.exp(-z))).astype("int64")
        yield binary(f"{samples} samples", 1 / (1 + np.exp(-strength * z)), labels, bins)
    yield binary("one sample", [0.3], [1], 10)
    yield binary("certain", [0.0, 1.0, 1.0, 0.0, 1.0], [0, 1, 0, 0, 1], 15)
    yield binary("ties", [0.2, 0.2, 0.2, 0.7, 0.7, 0.7, 0.7, 0.9, 0.31, 0.2, 0.2], [0, 1, 0, 1, 1, 0, 1, 1, 0, 0, 0], 5)
    yield binary("one bin", [0.1, 0.4, 0.8], [0, 0, 1], 1)
    ranks = (np.arange(11) * 0.083 + 0.04).astype("float32")
    yield binary("quantiles on samples", ranks, [0, 0, 1, 0, 1, 0, 1, 1, 0, 1, 1], 10)
    yield binary("more bins than samples", [0.15, 0.35, 0.85], [0, 1, 1], 12)


def record():
    clear("calibration")
    write_under(HEAD, "calibration", "multiclass", list(multiclass_cases()))
    write_under(HEAD, "calibration", "binary", list(binary_cases()))
