"""keras.metrics of right and wrong answers: counts, the shares made of them, areas, F-scores and regions."""

import numpy as np

from .common import made_up, normal, uniform
from .losses import one_hot, probabilities
from .metrics import TIES, WEIGHTS, case, maker


def f32(*values):
    return np.array(values, "float32")


def yes_or_no(shape, tag):
    """Labels, and probabilities that favour them a little."""
    y = made_up("yes", tag).integers(0, 2, shape).astype("float32")
    return y, np.round(0.7 * uniform(shape, "no", tag) + 0.3 * y, 3).astype("float32")


# At thresholds of quarters and of one half, and at both ends.
EDGES = (f32(1, 0, 1, 0, 1, 1, 0, 0, 1, 0), f32(0, 0, 0.25, 0.25, 0.5, 0.75, 0.75, 0.5, 1, 1))


def thresholded(cls, **kwargs):
    """What every metric with thresholds is asked."""
    make = maker(cls, **kwargs)
    draw = lambda n, tag: yes_or_no((n, 3), tag)
    yield case("three updates, the last smaller", make, draw(5, 0), draw(7, 1), draw(1, 2))
    yield case("rank 1", make, yes_or_no(11, 3))
    yield case("rank 1, sample_weight [n]", make, (*yes_or_no(3, 3), WEIGHTS), yes_or_no(3, 4))
    yield case("sample_weight [n]", make, (*draw(3, 0), WEIGHTS), draw(3, 1), (*draw(3, 2), WEIGHTS))
    yield case("sample_weight [n, 1]", make, (*draw(3, 0), WEIGHTS[:, None]))
    yield case("sample_weight [n, m]", make, (*draw(3, 0), uniform((3, 3), "weights")))
    yield case("sample_weight all zero", make, (*draw(3, 0), np.zeros(3, "float32")))
    y, p = yes_or_no(5, 5)
    yield case("y_true [n], y_pred [n, 1]", make, (y, p[:, None]), (y, p[:, None], f32(1, 2, 3, 4, 5)))
    yield case("y_true [n, 1], y_pred [n]", make, (y[:, None], p))
    yield case("rank 3, sample_weight [n, m]", make, (*yes_or_no((2, 3, 2), 6), uniform((2, 3), "weights")))
    yield case("labels of integers", make, (y.astype("int32"), p))
    yield case("labels of booleans", make, (y.astype("bool"), p))
    yield case("labels that are neither", make, (f32(0, 0.3, 1, 2, -1), p))
    yield case("at the edges", make, EDGES)
    yield case("beyond the edges", make, (y, (3 * p - 1).round(3).astype("float32")))
    yield case("no samples", make, (np.zeros((0, 3), "float32"),) * 2, draw(2, 7))
    yield case("nothing is true", make, (np.zeros(5, "float32"), p))
    yield case("everything is true", make, (np.ones(5, "float32"), p))
    yield case("named", maker(cls, name="mine", **kwargs), draw(2, 0))


def lists_of_thresholds(cls):
    for thresholds in [0.3, 0, 1.0, [0.3], [0.1, 0.25, 0.9], [0.0, 0.5, 1.0], [0.9, 0.1], [0.0, 0.25, 0.5, 0.75, 1.0]]:
        make = maker(cls, thresholds=thresholds)
        yield case(f"thresholds {thresholds}", make, EDGES, yes_or_no((3, 3), 0), (*yes_or_no((3, 3), 1), WEIGHTS))


def counts(cls):
    yield from thresholded(cls)
    yield from lists_of_thresholds(cls)


def precision_or_recall(cls):
    yield from thresholded(cls)
    yield from lists_of_thresholds(cls)
    y, p = yes_or_no((5, 4), 8)
    weighted = (*yes_or_no((3, 4), 9), WEIGHTS)
    for class_id in [0, 3, -1]:
        yield case(f"class_id {class_id}", maker(cls, class_id=class_id), (y, p), weighted)
    for k in [0, 1, 2, 4]:
        yield case(f"top_k {k}", maker(cls, top_k=k), (y, p), weighted)
    for k in [1, 2]:
        for class_id in [0, 1, 2]:
            make = maker(cls, top_k=k, class_id=class_id)
            yield case(f"ties, top_k {k}, class_id {class_id}", make, (one_hot([1, 2, 0, 1], 3), TIES))
    yield case("top_k 2, thresholds", maker(cls, top_k=2, thresholds=[0.2, 0.6]), (y, p), weighted)
    yield case("top_k 2, even thresholds", maker(cls, top_k=2, thresholds=[0.0, 0.5, 1.0]), (y, p), weighted)
    yield case("top_k 2, predictions below zero", maker(cls, top_k=2), (y, (p - 1).round(3)))
    yield case("top_k 3, rank 1", maker(cls, top_k=3), yes_or_no(7, 10))
    yield case("top_k 2, rank 3", maker(cls, top_k=2), yes_or_no((2, 2, 4), 11))
    yield case("class_id 1, rank 3", maker(cls, class_id=1), yes_or_no((2, 2, 4), 12))


def operating_point(setting):
    def cases(cls):
        yield from thresholded(cls, **{setting: 0.6})
        for value in [0.0, 0.5, 0.9, 1.0]:
            yield case(f"{setting} {value}", maker(cls, **{setting: value}), yes_or_no(23, 0), yes_or_no(7, 1))
        for count in [1, 2, 3, 5, 11]:
            make = maker(cls, **{setting: 0.5}, num_thresholds=count)
            yield case(f"num_thresholds {count}", make, EDGES, yes_or_no((5, 3), 2), (*yes_or_no((3, 3), 3), WEIGHTS))
        make = maker(cls, **{setting: 0.5}, class_id=2)
        yield case("class_id", make, yes_or_no((9, 4), 4), (*yes_or_no((3, 4), 5), WEIGHTS))

    return cases


CURVES, METHODS = ["ROC", "PR", "PRGAIN"], ["interpolation", "majoring", "minoring"]


def auc(cls):
    yield from thresholded(cls)
    updates = yes_or_no((5, 3), 0), (*yes_or_no((3, 3), 1), WEIGHTS), EDGES
    for curve in CURVES:
        for method in METHODS:
            yield case(f"{curve}, {method}", maker(cls, curve=curve, summation_method=method), *updates)
            make = maker(cls, curve=curve, summation_method=method, num_thresholds=5)
            yield case(f"{curve}, {method}, nothing is true", make, (np.zeros(4, "float32"), f32(0.1, 0.4, 0.6, 0.9)))
            yield case(f"{curve}, {method}, everything is true", make, (np.ones(4, "float32"), f32(0.1, 0.4, 0.6, 0.9)))
            yield case(f"{curve}, {method}, all wrong", make, (f32(1, 1, 0, 0), f32(0.1, 0.4, 0.6, 0.9)))
    for count in [2, 3, 5]:
        yield case(f"num_thresholds {count}", maker(cls, num_thresholds=count), *updates)
    for thresholds in [[], [0.5], [0.9, 0.1, 0.3], [0.25, 0.5, 0.75], [-1.0, 2.0]]:
        yield case(f"thresholds {thresholds}", maker(cls, thresholds=thresholds), *updates)
    yield case("from_logits", maker(cls, from_logits=True), (yes_or_no((5, 3), 0)[0], normal((5, 3), "auc logits")))
    yield case("label_weights", maker(cls, label_weights=[0.5, 0.0, 2.0]), *updates[:2])
    make = maker(cls, label_weights=[0.5, 0.0, 2.0], thresholds=[0.1, 0.3])
    yield case("label_weights, thresholds", make, *updates[:2])
    yield from labels_apart(cls)


def labels_apart(cls):
    updates = yes_or_no((5, 3), 0), yes_or_no((2, 3), 2), (*yes_or_no((3, 3), 1), WEIGHTS)
    weighted = (*yes_or_no((2, 3), 3), uniform((2, 3), "weights"))
    for kwargs in [{}, {"num_labels": 3}, {"thresholds": [0.1, 0.3, 0.6]}, {"label_weights": [0.5, 0.0, 2.0]}]:
        title = ", ".join(["multi_label", *kwargs])
        yield case(title, maker(cls, multi_label=True, **kwargs), *updates, weighted)
    for curve in CURVES:
        for method in METHODS:
            make = maker(cls, curve=curve, summation_method=method, multi_label=True, label_weights=[1.0, 2.0, 0.5])
            yield case(f"multi_label, {curve}, {method}", make, *updates, weighted)
    yield case("label_weights all zero", maker(cls, multi_label=True, label_weights=[0.0, 0.0, 0.0]), *updates)
    logits = (updates[0][0], normal((5, 3), "auc logits"))
    yield case("multi_label, from_logits", maker(cls, multi_label=True, from_logits=True), logits)
    yield case("multi_label of one", maker(cls, multi_label=True), yes_or_no((5, 1), 4))


def f_score(cls):
    draw = lambda n, tag: (one_hot(made_up("f", tag).integers(0, 4, n), 4), probabilities((n, 4), "f", tag))
    several = lambda n, tag: yes_or_no((n, 4), tag)
    settings = [{}, {"threshold": 0.4}, {"threshold": 1.0}]
    if cls.__name__ == "FBetaScore":
        settings += [{"beta": 0.5}, {"beta": 2.0, "threshold": 0.5}]
    for average in [None, "micro", "macro", "weighted"]:
        for kwargs in settings:
            make = maker(cls, average=average, **kwargs)
            about = ", ".join([f"average {average}", *(f"{k} {v}" for k, v in kwargs.items())])
            yield case(about, make, draw(5, 0), draw(7, 1), draw(1, 2))
            yield case(f"{about}, several labels", make, several(5, 0), several(3, 1))
            yield case(f"{about}, sample_weight", make, (*draw(3, 3), WEIGHTS), several(3, 4))
            yield case(f"{about}, sample_weight all zero", make, (*draw(3, 3), np.zeros(3, "float32")))
            yield case(f"{about}, no samples", make, (np.zeros((0, 4), "float32"),) * 2)
    ties = f32([0.4, 0.4, 0.2], [0, 0, 0], [0.2, 0.4, 0.4], [-0.5, -1, 0])
    yield case("ties", maker(cls), (one_hot([0, 1, 2, 1], 3), ties))
    yield case("one output", maker(cls, threshold=0.5), yes_or_no((5, 1), 5))
    y, p = several(3, 6)
    yield case("labels of integers", maker(cls), (y.astype("int32"), p))
    yield case("labels that are neither", maker(cls), ((y * 0.6 + 0.1).astype("float32"), p))
    yield case("named", maker(cls, name="mine"), draw(2, 0))


def classes(shape, tag, count=3):
    return tuple(made_up("iou", tag, k).integers(0, count, shape).astype("int32") for k in (0, 1))


def region_settings(cls):
    """Settings without which the class cannot be made, for three classes."""
    required = {"num_classes": 3}
    if cls.__name__ in ("IoU", "OneHotIoU"):
        required["target_class_ids"] = [0, 2]
    return required


def regions(cls, draw):
    """draw(shape, tag) gives (y_true, y_pred) of three classes."""
    kwargs = region_settings(cls)
    make = maker(cls, **kwargs)
    yield case("three updates, the last smaller", make, draw(7, 0), draw(11, 1), draw(1, 2))
    yield case("rank 3", make, draw((2, 3, 2), 3))
    yield case("no samples", make, draw(0, 4))
    yield case("some classes are absent", maker(cls, **(kwargs | {"num_classes": 5})), draw(4, 5))
    yield case("ignore_class", maker(cls, ignore_class=1, **kwargs), draw(11, 6), draw(5, 7))
    yield case("named", maker(cls, name="mine", **kwargs), draw(5, 0))
    weights = f32(0.5, 2.0, 0.0, 1.75, -0.5)
    yield case("sample_weight of floats", make, (*draw(5, 8), weights))
    yield case("sample_weight of integers", make, (*draw(3, 8), np.array([3, 1, 0], "int32")))
    yield case("dtype float32", maker(cls, dtype="float32", **kwargs), (*draw(5, 8), weights), draw(5, 9))
    yield case("sample_weight [n, m]", make, (*draw((2, 3), 10), np.array([[3, 1, 0], [1, 1, 2]], "int32")))
    if "target_class_ids" in kwargs:
        for ids in [[1], [2, 0, 2], [-1, 0], [0, 1, 2]]:
            make = maker(cls, **(kwargs | {"target_class_ids": ids}))
            yield case(f"target_class_ids {ids}", make, draw(11, 11))


def sparse_regions(cls):
    yield from regions(cls, classes)
    kwargs = region_settings(cls)
    out_of_range = np.array([0, 1, 5, -1, 2, 0], "int32"), np.array([0, 7, 1, 1, -2, 3], "int32")
    yield case("labels that are no class", maker(cls, **kwargs), out_of_range)
    for value in [-1, 255]:
        y, p = classes(7, 12)
        y[::3] = value
        yield case(f"ignore_class {value}", maker(cls, ignore_class=value, **kwargs), (y, p))
    y, p = (a.astype("float32") + 0.25 for a in classes(7, 13))
    for dtype in ["int32", "float32"]:
        yield case(f"labels of floats, dtype {dtype}", maker(cls, dtype=dtype, **kwargs), (y, p))
    y, p = classes(7, 14)
    yield case("labels [n, 1]", maker(cls, **kwargs), (y[:, None], p))
    make = maker(cls, sparse_y_pred=False, **kwargs)
    yield case("sparse_y_pred", make, (y, probabilities((7, 3), "iou")), (TIES.argmax(-1), TIES))
    make = maker(cls, sparse_y_true=False, **kwargs)
    yield case("sparse_y_true", make, (one_hot(y, 3), p))
    make = maker(cls, sparse_y_true=False, sparse_y_pred=False, axis=0, **kwargs)
    yield case("axis 0", make, (one_hot(y, 3).T, probabilities((7, 3), "iou").T))


def dense(shape, tag):
    y, p = classes(shape, tag)
    return one_hot(y, 3), np.round(probabilities((*y.shape, 3), "iou", tag) + one_hot(p, 3) / 3, 3).astype("float32")


def dense_regions(cls):
    yield from regions(cls, dense)
    kwargs = region_settings(cls)
    y, p = dense((2, 5), 12)
    yield case("axis 0", maker(cls, axis=0, **kwargs), (np.moveaxis(y, -1, 0), np.moveaxis(p, -1, 0)))
    yield case("ties take the first", maker(cls, **kwargs), (one_hot([1, 2, 1, 2], 3), TIES))
    yield case("sparse_y_pred", maker(cls, sparse_y_pred=True, **kwargs), (one_hot([0, 1, 2, 2], 3), np.arange(4) % 3))


def binary_regions(cls):
    draw = lambda shape, tag: yes_or_no(shape, tag)
    yield case("three updates, the last smaller", maker(cls), draw((5, 3), 0), draw((7, 3), 1), draw((1, 3), 2))
    yield case("at the edges", maker(cls), EDGES)
    for threshold in [0.0, 0.25, 1.5]:
        yield case(f"threshold {threshold}", maker(cls, threshold=threshold), EDGES, draw(7, 3))
    for ids in [[0], [1], [-1]]:
        yield case(f"target_class_ids {ids}", maker(cls, target_class_ids=ids), draw(11, 4))
    yield case("dtype float32", maker(cls, dtype="float32"), (*draw(3, 5), WEIGHTS), draw(3, 6))
    yield case("sample_weight", maker(cls), (*draw(3, 5), WEIGHTS), draw(3, 6))
    yield case("labels that are neither", maker(cls), (f32(0, 0.3, 1, 2, -1), draw(5, 7)[1]))
    yield case("no samples", maker(cls), (np.zeros(0, "float32"),) * 2)
    yield case("named", maker(cls, name="mine"), draw(5, 0))


KINDS = {
    "TruePositives": counts,
    "FalsePositives": counts,
    "TrueNegatives": counts,
    "FalseNegatives": counts,
    "Precision": precision_or_recall,
    "Recall": precision_or_recall,
    "PrecisionAtRecall": operating_point("recall"),
    "RecallAtPrecision": operating_point("precision"),
    "SensitivityAtSpecificity": operating_point("specificity"),
    "SpecificityAtSensitivity": operating_point("sensitivity"),
    "AUC": auc,
    "F1Score": f_score,
    "FBetaScore": f_score,
    "IoU": sparse_regions,
    "MeanIoU": sparse_regions,
    "OneHotIoU": dense_regions,
    "OneHotMeanIoU": dense_regions,
    "BinaryIoU": binary_regions,
}
