"""keras.metrics: the result after each of a few updates."""

import keras
import numpy as np

from .common import (
    array,
    clear,
    envelope,
    fresh,
    made_up,
    normal,
    number,
    uniform,
    write,
)
from .losses import one_hot, probabilities

WEIGHTS = np.array([0.5, 2.0, 0.0], "float32")


def maybe(a):
    return None if a is None else array(a)


def result(metric):
    """A number, or a tensor where the metric is several."""
    value = np.asarray(metric.result())
    assert value.dtype == np.float32
    return array(value) if value.ndim else number(value[()])


def first_result(metric):
    """The result before any update; None of a metric that waits for the shape of its first."""
    return result(metric) if getattr(metric, "_built", True) else None


def case(title, make, *updates):
    """An update is (y_true, y_pred) or (y_true, y_pred, sample_weight)."""
    fresh()
    metric = make()
    out = {
        "name": title,
        "config": envelope(metric),
        "initial": first_result(metric),
        "updates": [],
        "results": [],
    }
    for y_true, y_pred, *sample_weight in updates:
        sample_weight = sample_weight[0] if sample_weight else None
        metric.update_state(y_true, y_pred, sample_weight=sample_weight)
        out["updates"].append({"y_true": array(y_true), "y_pred": array(y_pred), "sample_weight": maybe(sample_weight)})
        out["results"].append(result(metric))
    return out


def summed_case(title, make, *updates):
    """An update is (values,) or (values, sample_weight)."""
    fresh()
    metric = make()
    out = {
        "name": title,
        "config": envelope(metric),
        "initial": number(np.float32(metric.result())),
        "updates": [],
        "results": [],
    }
    for values, *sample_weight in updates:
        sample_weight = sample_weight[0] if sample_weight else None
        metric.update_state(values, sample_weight=sample_weight)
        out["updates"].append({"values": array(values), "sample_weight": maybe(sample_weight)})
        out["results"].append(number(np.float32(metric.result())))
    return out


def maker(cls, **kwargs):
    return lambda: cls(**kwargs)


def weighted(cls, draw, **kwargs):
    """draw(shape, tag) gives (y_true, y_pred); what every metric of that form is asked."""
    make = maker(cls, **kwargs)
    yield case("three updates, the last smaller", make, draw(3, 0), draw(3, 1), draw(1, 2))
    yield case("sample_weight [n]", make, (*draw(3, 0), WEIGHTS), draw(3, 1), (*draw(3, 2), WEIGHTS))
    yield case("sample_weight [n, 1]", make, (*draw(3, 0), WEIGHTS[:, None]), (*draw(3, 1), WEIGHTS[:, None]))
    yield case("sample_weight all zero", make, (*draw(3, 0), np.zeros(3, "float32")))
    yield case("named", maker(cls, name="mine", **kwargs), draw(2, 0))


def mean_or_sum(cls):
    make = maker(cls)
    v = lambda shape, tag: normal(shape, cls.__name__, tag)
    yield summed_case("vectors", make, (v((4,), 0),), (v((1,), 1),), (v((3,), 2),))
    yield summed_case("scalars", make, (np.float32(2.5),), (np.float32(-1.0),), (np.float32(4.0), np.float32(3.0)))
    yield summed_case("rank 2", make, (v((2, 3), 0),), (v((4, 2), 1),))
    yield summed_case("rank 3", make, (v((2, 3, 2), 0),))
    yield summed_case("weighted", make, (v((3,), 0), WEIGHTS), (v((3,), 1),), (v((3,), 2), WEIGHTS))
    yield summed_case("rank 2, sample_weight [n]", make, (v((3, 2), 0), WEIGHTS))
    yield summed_case("rank 2, sample_weight [n, 1]", make, (v((3, 2), 0), WEIGHTS[:, None]))
    yield summed_case("rank 2, sample_weight [n, m]", make, (v((3, 2), 0), uniform((3, 2), "weights")))
    yield summed_case("sample_weight all zero", make, (v((3,), 0), np.zeros(3, "float32")))
    yield summed_case("named", maker(cls, name="mine"), (v((2,), 0),))
    yield summed_case("integers", make, (np.array([1, 2, 4], "int32"),))


def accuracy(cls):
    draw = lambda n, tag: tuple(made_up("accuracy", tag, k).integers(0, 3, (n, 2)).astype("float32") for k in (0, 1))
    yield from weighted(cls, draw)
    yield case("rank 1, integers", maker(cls), (np.array([1, 2, 3, 4], "int32"), np.array([0, 2, 3, 4], "int32")))
    yield case(
        "y_true [n], y_pred [n, 1]", maker(cls), (np.array([1.0, 2.0], "float32"), np.array([[1.0], [3.0]], "float32"))
    )


def binary_accuracy(cls):
    draw = lambda n, tag: (
        made_up("binary", tag).integers(0, 2, (n, 3)).astype("float32"),
        uniform((n, 3), "binary", tag),
    )
    yield from weighted(cls, draw)
    y, p = np.array([1, 0, 1, 0, 1], "int32"), np.array([0.5, 0.5, 0.51, 0.2, 0.9], "float32")
    yield case("at the threshold", maker(cls), (y, p))
    yield case("threshold", maker(cls, threshold=0.9), (y, p))
    yield case("threshold 0.2", maker(cls, threshold=0.2), (y, p))
    yield case(
        "y_true [n], y_pred [n, 1]", maker(cls), (y, p[:, None]), (y, p[:, None], np.array([1, 2, 3, 4, 5], "float32"))
    )
    yield case("y_true [n, 1], y_pred [n, 1]", maker(cls), (y[:, None], p[:, None]))
    yield case("labels of booleans", maker(cls), (y.astype("bool"), p))
    yield case(
        "labels that are neither",
        maker(cls),
        (np.array([1.0, 0.3, 0.7], "float32"), np.array([0.9, 0.1, 0.9], "float32")),
    )


TIES = np.array([[0.4, 0.4, 0.2], [0.2, 0.4, 0.4], [1 / 3, 1 / 3, 1 / 3], [0.0, 0.5, 0.5]], "float32")


def hit_or_miss(n, tag):
    """Labels of four classes, and probabilities that favour them in every other row."""
    labels, p = made_up("cat", tag).integers(0, 4, n).astype("int32"), uniform((n, 4), "cat", tag)
    p[::2] += one_hot(labels, 4)[::2]
    return labels, (p / p.sum(-1, keepdims=True)).astype("float32")


def one_hot_or_miss(n, tag):
    labels, p = hit_or_miss(n, tag)
    return one_hot(labels, 4), p


def categorical_accuracy(cls):
    draw = one_hot_or_miss
    yield from weighted(cls, draw)
    yield case("ties take the first", maker(cls), (one_hot([0, 1, 0, 1], 3), TIES), (one_hot([1, 2, 1, 2], 3), TIES))
    yield case(
        "ties in the labels", maker(cls), (np.array([[0.5, 0.5, 0]], "float32"), np.array([[0.9, 0.1, 0]], "float32"))
    )
    yield case(
        "rank 3",
        maker(cls),
        (one_hot([[0, 1], [2, 0]], 3), probabilities((2, 2, 3), "cat3")),
        (one_hot([[0, 1], [2, 0]], 3), probabilities((2, 2, 3), "cat4"), np.array([1.0, 3.0], "float32")),
    )
    yield case("labels of integers", maker(cls), (one_hot([0, 2], 3).astype("int32"), TIES[:2]))


def sparse_accuracy(cls):
    draw = hit_or_miss
    yield from weighted(cls, draw)
    yield case(
        "labels [n, 1]",
        maker(cls),
        (np.array([[0], [2], [1]], "int32"), TIES[:3]),
        (np.array([[0], [2], [1]], "int32"), TIES[:3], WEIGHTS),
    )
    yield case("labels of floats", maker(cls), (np.array([0, 2, 1], "float32"), TIES[:3]))
    yield case(
        "ties take the first",
        maker(cls),
        (np.array([0, 1, 0, 1], "int32"), TIES),
        (np.array([1, 2, 1, 2], "int32"), TIES),
    )
    yield case("rank 3", maker(cls), (np.array([[0, 1], [2, 0]], "int32"), probabilities((2, 2, 3), "cat3")))


def top_k(cls, sparse):
    encode = (lambda y, n=4: np.array(y, "int32")) if sparse else (lambda y, n=4: one_hot(y, n))
    draw = hit_or_miss if sparse else one_hot_or_miss
    yield from weighted(cls, draw, k=2)
    p = probabilities((3, 6), "top6")
    yield case("default k", maker(cls), (encode([0, 5, 3], 6), p), (encode([1, 2, 4], 6), p))
    for k in [1, 3, 9]:
        yield case(f"k {k}", maker(cls, k=k), (encode([0, 5, 3], 6), p))
    ties = np.array(
        [[0.25, 0.25, 0.25, 0.25], [0.4, 0.3, 0.3, 0.0], [0.4, 0.3, 0.3, 0.0], [0.1, 0.4, 0.4, 0.1]], "float32"
    )
    for k in [1, 2]:
        yield case(f"ties, k {k}", maker(cls, k=k), (encode([3, 1, 2, 0]), ties), (encode([0, 0, 3, 2]), ties))
    yield case("rank 3", maker(cls, k=2), (encode([[0, 1], [2, 3]]), probabilities((2, 2, 4), "top3")))
    if sparse:
        yield case(
            "labels of floats", maker(cls, k=2), (np.array([0, 1, 2], "float32"), probabilities((3, 4), "cat", 0))
        )
        yield case(
            "labels [n, 1]", maker(cls, k=2), (np.array([[0], [1], [2]], "int32"), probabilities((3, 4), "cat", 0))
        )
        yield case(
            "from_sorted_ids",
            maker(cls, k=2, from_sorted_ids=True),
            (np.array([3, 1, 2], "int32"), np.array([[0, 3, 1], [2, 0, 1], [2, 2, 0]], "int32")),
        )


def regression(cls):
    name = cls.__name__
    if name in ("Poisson", "KLDivergence"):
        draw = lambda n, tag: (uniform((n, 3), name, tag), uniform((n, 3), name, tag, "p"))
    elif name == "CategoricalHinge":
        draw = lambda n, tag: (one_hot(made_up(name, tag).integers(0, 3, n), 3), normal((n, 3), name, tag))
    elif name in ("Hinge", "SquaredHinge"):
        draw = lambda n, tag: (
            made_up(name, tag).choice([-1.0, 1.0], (n, 3)).astype("float32"),
            normal((n, 3), name, tag),
        )
    else:
        draw = lambda n, tag: (normal((n, 3), name, tag), normal((n, 3), name, tag, "p"))
    yield from weighted(cls, draw)
    flat = tuple(a.reshape(-1) for a in draw(2, 5))
    yield case("rank 1", maker(cls), flat)
    yield case("y_true [n], y_pred [n, 1]", maker(cls), (flat[0], flat[1][:, None]))
    yield case(
        "y_true [n, 1], y_pred [n, 1], sample_weight [n]", maker(cls), (flat[0][:3, None], flat[1][:3, None], WEIGHTS)
    )
    cube = tuple(np.stack([a, a + 0.125]) for a in draw(2, 6))
    yield case("rank 3", maker(cls), cube, (*cube, np.array([1.0, 3.0], "float32")))
    if name in ("Hinge", "SquaredHinge"):
        yield case("labels of zero and one", maker(cls), (np.array([[0, 1, 1], [1, 0, 0]], "int32"), draw(2, 7)[1]))


def correlation(cls):
    yield from regression(cls)
    tensors = lambda axis: tuple(normal((2, 5, 3), "correlation", axis, k) for k in (0, 1))
    for axis in [0, 1, -2]:
        yield case(f"axis {axis}", maker(cls, axis=axis), tensors(axis), tensors((axis, "again")))
    yield case("sample_weight [n, m]", maker(cls), (*tensors(2), uniform((2, 5), "correlation")))
    y = np.array([[1.0, 2.0, 4.0]], "float32")
    yield case("equal", maker(cls), (y, y))
    yield case("a line", maker(cls), (y, 0.5 * y - 3), (y, -y))
    yield case("zeros", maker(cls), (y, np.zeros((1, 3), "float32")))
    yield case("constants", maker(cls), (np.array([[2.0, 2.0, 2.0]], "float32"), y))


def r2_score(cls):
    draw = lambda n, tag, k=3: (normal((n, k), "r2", tag), normal((n, k), "r2", tag, "p"))
    for aggregation in ["uniform_average", "variance_weighted_average", None]:
        make = maker(cls, class_aggregation=aggregation)
        yield case(f"{aggregation}, three updates, the last smaller", make, draw(4, 0), draw(4, 1), draw(1, 2))
        yield case(f"{aggregation}, sample_weight [n]", make, (*draw(3, 3), WEIGHTS), draw(3, 4))
        yield case(f"{aggregation}, one output", make, draw(7, 5, 1))
        yield case(f"{aggregation}, one sample", make, draw(1, 6))
        for regressors in [1, 3, 11, 12]:
            make = maker(cls, class_aggregation=aggregation, num_regressors=regressors)
            yield case(f"{aggregation}, num_regressors {regressors}", make, draw(4, 7), draw(5, 8))
    make = maker(cls)
    yield case("sample_weight [n, 1]", make, (*draw(3, 3), WEIGHTS[:, None]))
    yield case("sample_weight [n, m]", make, (*draw(3, 3), uniform((3, 3), "r2 weights")))
    yield case("sample_weight of one number", make, (*draw(3, 3), np.float32(0.5)))
    yield case("sample_weight all zero", make, (*draw(3, 3), np.zeros(3, "float32")))
    yield case("named", maker(cls, name="mine"), draw(5, 9))
    flat = tuple(a[:, 0] for a in draw(5, 10))
    yield case("y_true [n], y_pred [n, 1]", make, (flat[0], flat[1][:, None]))
    yield case("all explained", make, (draw(5, 11)[0], draw(5, 11)[0]))
    yield case("integers", make, (np.array([[1], [2], [4]], "int32"), np.array([[1], [3], [4]], "int32")))
    constant = np.array([[2.0, 1.0], [2.0, 3.0]], "float32")
    yield case("an output that does not vary", maker(cls, class_aggregation=None), (constant, constant - 1))
    yield case("an output that does not vary and is right", maker(cls, class_aggregation=None), (constant, constant))


def binary_crossentropy(cls):
    draw = lambda n, tag: (
        made_up("binary", tag).integers(0, 2, (n, 3)).astype("float32"),
        uniform((n, 3), "binary", tag),
    )
    yield from weighted(cls, draw)
    y, p = draw(3, 0)
    yield case("from_logits", maker(cls, from_logits=True), (y, normal((3, 3), "binary logits")))
    yield case("label_smoothing", maker(cls, label_smoothing=0.2), (y, p))
    yield case("y_true [n, 1], y_pred [n, 1]", maker(cls), (np.array([[1], [0], [1]], "int32"), p[:, :1]))
    yield case(
        "exactly zero and one", maker(cls), (np.array([[0, 1, 0, 1]], "float32"), np.array([[0, 0, 1, 1]], "float32"))
    )


def categorical_crossentropy(cls):
    draw = one_hot_or_miss
    yield from weighted(cls, draw)
    y, p = draw(3, 0)
    yield case("from_logits", maker(cls, from_logits=True), (y, normal((3, 4), "cat logits")))
    yield case("label_smoothing", maker(cls, label_smoothing=0.2), (y, p))
    yield case("axis 1", maker(cls, axis=1), (one_hot([[0, 1], [2, 0]], 3, axis=1), uniform((2, 3, 2), "cat axis")))
    yield case("rank 3", maker(cls), (one_hot([[0, 1], [2, 0]], 3), probabilities((2, 2, 3), "cat3")))


def sparse_crossentropy(cls):
    draw = hit_or_miss
    yield from weighted(cls, draw)
    y, p = draw(3, 0)
    yield case("from_logits", maker(cls, from_logits=True), (y, normal((3, 4), "cat logits")))
    yield case(
        "ignore_class", maker(cls, ignore_class=1), (np.array([1, 2, 0], "int32"), p), (np.array([1, 2, 1], "int32"), p)
    )
    yield case("labels [n, 1]", maker(cls), (y[:, None], p))
    yield case("labels of floats", maker(cls), (y.astype("float32"), p))
    yield case(
        "axis 1", maker(cls, axis=1), (np.array([[0, 1, 1], [2, 2, 0]], "int32"), uniform((2, 3, 3), "sparse axis"))
    )


def record():
    from .confusion_metrics import KINDS  # It is written with what stands above.

    clear("metrics")
    kinds = {
        name: regression
        for name in [
            "MeanSquaredError",
            "MeanAbsoluteError",
            "RootMeanSquaredError",
            "KLDivergence",
            "Poisson",
            "Hinge",
            "SquaredHinge",
            "CategoricalHinge",
            "LogCoshError",
            "MeanAbsolutePercentageError",
            "MeanSquaredLogarithmicError",
        ]
    }
    kinds |= {
        "Mean": mean_or_sum,
        "Sum": mean_or_sum,
        "Accuracy": accuracy,
        "BinaryAccuracy": binary_accuracy,
        "CategoricalAccuracy": categorical_accuracy,
        "SparseCategoricalAccuracy": sparse_accuracy,
        "TopKCategoricalAccuracy": lambda cls: top_k(cls, False),
        "SparseTopKCategoricalAccuracy": lambda cls: top_k(cls, True),
        "BinaryCrossentropy": binary_crossentropy,
        "CategoricalCrossentropy": categorical_crossentropy,
        "SparseCategoricalCrossentropy": sparse_crossentropy,
        "CosineSimilarity": correlation,
        "PearsonCorrelation": correlation,
        "ConcordanceCorrelation": correlation,
        "R2Score": r2_score,
    }
    kinds |= KINDS
    for name, cases in kinds.items():
        write("metrics", name, list(cases(getattr(keras.metrics, name))))
