"""keras.losses: value, value per sample and gradient of every class but CTC."""

import warnings

import jax
import keras
import numpy as np

from .common import array, clear, envelope, fresh, made_up, normal, uniform, write

REDUCTIONS = ["sum", "sum_over_batch_size", "mean", "mean_with_sample_weight", "none", None]


def case(title, make, y_true, y_pred, sample_weight=None):
    """make(**kwargs) builds the loss."""
    fresh()
    loss = make()
    each = make(reduction="none") if loss.reduction not in ("none", None) else loss
    gradient = jax.grad(lambda p: loss(y_true, p, sample_weight).sum())(y_pred)
    return {
        "name": title,
        "config": envelope(loss),
        "y_true": array(y_true),
        "y_pred": array(y_pred),
        "sample_weight": None if sample_weight is None else array(sample_weight),
        "value": array(loss(y_true, y_pred, sample_weight)),
        "per_sample": array(each(y_true, y_pred)),
        "dy_pred": array(gradient),
    }


def maker(cls, **kwargs):
    return lambda **more: cls(**{**kwargs, **more})


def reductions(cls, y_true, y_pred, **kwargs):
    """Every reduction, with weights and without: 3 samples, or 3 by something."""
    weights = np.array([0.5, 2.0, 0.0], "float32")
    for reduction in REDUCTIONS:
        make = maker(cls, reduction=reduction, **kwargs)
        yield case(f"reduction {reduction}", make, y_true, y_pred)
        yield case(f"reduction {reduction}, sample_weight [n]", make, y_true, y_pred, weights)
    make = maker(cls, **kwargs)
    yield case("sample_weight [n, 1]", make, y_true, y_pred, weights[:, None])
    yield case("sample_weight of integers", make, y_true, y_pred, np.array([1, 0, 3], "int32"))
    yield case(
        "sample_weight all zero",
        maker(cls, reduction="mean_with_sample_weight", **kwargs),
        y_true,
        y_pred,
        np.zeros(3, "float32"),
    )
    yield case("named", maker(cls, name="mine", **kwargs), y_true, y_pred)


def one_hot(labels, n, axis=-1):
    return np.moveaxis(np.eye(n, dtype="float32")[np.asarray(labels)], -1, axis)


def probabilities(shape, *name):
    p = uniform(shape, *name)
    return (p / p.sum(-1, keepdims=True)).astype("float32")


def regression(cls):
    name, make = cls.__name__, maker(cls)
    if name in ("Poisson", "KLDivergence"):
        draw_true, draw_pred = (lambda s: uniform(s, name, "y_true", s)), (lambda s: uniform(s, name, "y_pred", s))
    elif "inge" in name:
        draw_true = lambda s: made_up(name, s).choice([-1.0, 1.0], s).astype("float32")
        draw_pred = lambda s: normal(s, name, "y_pred", s)
    else:
        draw_true, draw_pred = (lambda s: normal(s, name, "y_true", s)), (lambda s: normal(s, name, "y_pred", s) * 2)
    yield from reductions(cls, draw_true((3, 2)), draw_pred((3, 2)))
    for shape in [(5,), (5, 1), (1, 3), (2, 3, 4)]:
        yield case(f"rank {len(shape)}, shape {list(shape)}", make, draw_true(shape), draw_pred(shape))
    yield case("y_true [n], y_pred [n, 1]", make, draw_true((5,)), draw_pred((5, 1)))
    yield case("y_true [n, 1], y_pred [n]", make, draw_true((5, 1)), draw_pred((5,)))
    yield case("y_true of integers", make, np.array([[0, 1, 1], [1, 0, 0]], "int32"), draw_pred((2, 3)))
    yield case("y_true of booleans", make, np.array([[0, 1, 1], [1, 0, 0]], "bool"), draw_pred((2, 3)))
    yield case(
        "sample_weight per step", make, draw_true((2, 3, 4)), draw_pred((2, 3, 4)), uniform((2, 3), name, "weights")
    )
    yield case(
        "sample_weight per sample of rank 3",
        make,
        draw_true((2, 3, 2)),
        draw_pred((2, 3, 2)),
        uniform((2, 1), name, "weights"),
    )
    yield case(
        "equal, zero and one",
        make,
        np.array([[0.0, 0.0, 1.0, 1.0, 0.5]], "float32"),
        np.array([[0.0, 1.0, 0.0, 1.0, 0.5]], "float32"),
    )
    yield case(
        "large", make, np.array([[0.0, 1.0, 1.0, 0.0]], "float32"), np.array([[100.0, -100.0, 1e4, -1e4]], "float32")
    )
    if name == "Huber":
        yield case("delta", maker(cls, delta=0.25), draw_true((3, 4)), draw_pred((3, 4)))
        yield case("at the corner", make, np.zeros((1, 4), "float32"), np.array([[1.0, -1.0, 0.5, 2.0]], "float32"))


def categorical(cls):
    logits, labels = normal((3, 4), "categorical logits") * 2, one_hot([2, 0, 3], 4)
    yield from reductions(cls, labels, probabilities((3, 4), "categorical p"))
    make = maker(cls)
    yield case("from_logits", maker(cls, from_logits=True), labels, logits)
    yield case("label_smoothing", maker(cls, label_smoothing=0.1), labels, probabilities((3, 4), "categorical p"))
    yield case("label_smoothing, from_logits", maker(cls, label_smoothing=0.3, from_logits=True), labels, logits)
    yield case("probabilities that do not sum to one", make, labels, uniform((3, 4), "categorical unnormed"))
    yield case("soft labels", make, probabilities((3, 4), "categorical soft"), probabilities((3, 4), "categorical p"))
    yield case("labels of integers", make, labels.astype("int32"), probabilities((3, 4), "categorical p"))
    yield case("rank 1", make, one_hot(1, 5), probabilities((5,), "categorical p1"))
    yield case("rank 3", make, one_hot([[0, 1], [2, 2], [1, 0]], 3), probabilities((3, 2, 3), "categorical p3"))
    yield case(
        "rank 3, sample_weight per step",
        make,
        one_hot([[0, 1], [2, 2], [1, 0]], 3),
        probabilities((3, 2, 3), "categorical p3"),
        uniform((3, 2), "categorical weights"),
    )
    for extra in [{}, {"from_logits": True}, {"label_smoothing": 0.2}]:
        text = ", ".join(["axis 1", *extra])
        yield case(text, maker(cls, axis=1, **extra), one_hot([[0, 1], [2, 2]], 3, axis=1), uniform((2, 3, 2), text))
    yield case(
        "exactly zero and one",
        make,
        one_hot([0, 0, 1, 1], 3),
        np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 0]], "float32"),
    )
    yield case(
        "large logits",
        maker(cls, from_logits=True),
        one_hot([0, 1], 3),
        np.array([[1e4, -1e4, 0.0], [100.0, 0.0, 100.0]], "float32"),
    )


def sparse_categorical(cls):
    labels, p = np.array([2, 0, 3], "int32"), probabilities((3, 4), "categorical p")
    logits = normal((3, 4), "categorical logits") * 2
    yield from reductions(cls, labels, p)
    make = maker(cls)
    yield case("from_logits", maker(cls, from_logits=True), labels, logits)
    yield case("labels [n, 1]", make, labels[:, None], p)
    yield case("labels of floats", make, labels.astype("float32"), p)
    yield case("labels of bytes", make, labels.astype("uint8"), p)
    yield case("labels of int64", make, labels.astype("int64"), p)
    yield case("probabilities that do not sum to one", make, labels, uniform((3, 4), "categorical unnormed"))
    yield case("rank 3", make, np.array([[0, 1], [2, 2], [1, 0]], "int32"), probabilities((3, 2, 3), "categorical p3"))
    yield case(
        "rank 3, labels [n, m, 1]",
        make,
        np.array([[[0], [1]], [[2], [2]]], "int32"),
        probabilities((2, 2, 3), "categorical p3"),
    )
    yield case(
        "rank 3, sample_weight per step",
        make,
        np.array([[0, 1], [2, 2], [1, 0]], "int32"),
        probabilities((3, 2, 3), "categorical p3"),
        uniform((3, 2), "categorical weights"),
    )
    for ignore in [0, 3, -1]:
        y = np.array([ignore, 1, 3], "int32")
        yield case(f"ignore_class {ignore}", maker(cls, ignore_class=ignore), y, p)
        yield case(
            f"ignore_class {ignore}, from_logits, sample_weight",
            maker(cls, ignore_class=ignore, from_logits=True),
            y,
            logits,
            np.array([0.5, 2.0, 1.5], "float32"),
        )
    for reduction in ["sum", "mean_with_sample_weight", "none"]:
        yield case(f"ignore_class, reduction {reduction}", maker(cls, ignore_class=2, reduction=reduction), labels, p)
    yield case("ignore_class, all ignored", maker(cls, ignore_class=1), np.array([1, 1, 1], "int32"), p)
    yield case(
        "ignore_class, rank 3",
        maker(cls, ignore_class=2),
        np.array([[0, 1], [2, 2], [1, 0]], "int32"),
        probabilities((3, 2, 3), "categorical p3"),
    )
    yield case("labels out of range", make, np.array([4, -1, 1], "int32"), p)
    yield case(
        "axis 1", maker(cls, axis=1), np.array([[0, 1, 1], [2, 2, 0]], "int32"), uniform((2, 3, 3), "sparse axis")
    )
    yield case(
        "exactly zero and one",
        make,
        np.array([0, 0, 1], "int32"),
        np.array([[1, 0, 0], [0, 1, 0], [1, 1, 0]], "float32"),
    )


def binary(cls):
    labels = np.array([[0, 1, 1, 0], [1, 0, 0, 0], [1, 1, 1, 0]], "float32")
    p, logits = uniform((3, 4), "binary p"), normal((3, 4), "binary logits") * 2
    yield from reductions(cls, labels, p)
    make = maker(cls)
    yield case("from_logits", maker(cls, from_logits=True), labels, logits)
    yield case("label_smoothing", maker(cls, label_smoothing=0.2), labels, p)
    yield case("label_smoothing, from_logits", maker(cls, label_smoothing=0.2, from_logits=True), labels, logits)
    yield case("soft labels", make, uniform((3, 4), "binary soft"), p)
    yield case("axis 0", maker(cls, axis=0), labels, p)
    yield case("axis 1 of rank 3", maker(cls, axis=1), np.stack([labels, 1 - labels]), uniform((2, 3, 4), "binary p3"))
    for y_true, y_pred in [((5,), (5, 1)), ((5, 1), (5,)), ((5, 1), (5, 1)), ((5,), (5,))]:
        yield case(
            f"y_true {list(y_true)}, y_pred {list(y_pred)}",
            make,
            np.array([0, 1, 1, 0, 1], "int32").reshape(y_true),
            uniform((5,), "binary p5").reshape(y_pred),
        )
    yield case(
        "y_true [n], y_pred [n, 1], sample_weight [n]",
        make,
        np.array([0, 1, 1], "int32"),
        uniform((3, 1), "binary p31"),
        np.array([0.5, 2.0, 0.0], "float32"),
    )
    yield case("labels of booleans", make, labels.astype("bool"), p)
    yield case(
        "sample_weight per step",
        make,
        np.stack([labels, labels]),
        uniform((2, 3, 4), "binary p3"),
        uniform((2, 3), "binary weights"),
    )
    yield case("exactly zero and one", make, np.array([[0, 1, 0, 1]], "float32"), np.array([[0, 0, 1, 1]], "float32"))
    yield case(
        "beyond zero and one", make, np.array([[0, 1, 0, 1]], "float32"), np.array([[-0.5, -0.5, 1.5, 1.5]], "float32")
    )
    yield case(
        "large logits",
        maker(cls, from_logits=True),
        np.array([[0, 1, 0, 1, 1]], "float32"),
        np.array([[100, 100, -100, -100, 1e4]], "float32"),
    )


def hinges(cls):
    yield from regression(cls)
    yield case(
        "labels of zero and one are made -1 and 1",
        maker(cls),
        np.array([[0, 1, 1], [1, 0, 0]], "float32"),
        normal((2, 3), "hinge p"),
    )
    yield case("other labels stay", maker(cls), np.array([[0, 1, 2], [1, 0, 0]], "float32"), normal((2, 3), "hinge p"))


def cosine(cls):
    yield from regression(cls)
    for axis, shape in [(0, (3, 4)), (1, (2, 3, 4)), (-2, (2, 3, 4))]:
        yield case(
            f"axis {axis}",
            maker(cls, axis=axis),
            normal(shape, "cosine y_true", axis),
            normal(shape, "cosine y_pred", axis),
        )
    yield case("y_true of zeros", maker(cls), np.zeros((2, 3), "float32"), normal((2, 3), "cosine y_pred"))


def binary_focal(cls):
    yield from binary(cls)
    labels = np.array([[0, 1, 1, 0], [1, 0, 0, 0], [1, 1, 1, 0]], "float32")
    p, logits = uniform((3, 4), "binary p"), normal((3, 4), "binary logits") * 2
    for kwargs in [
        {"apply_class_balancing": True},
        {"apply_class_balancing": True, "alpha": 0.75, "from_logits": True},
        {"apply_class_balancing": True, "alpha": 0.1, "label_smoothing": 0.2},
        {"gamma": 0.0},
        {"gamma": 0.5},
        {"gamma": 3.5, "from_logits": True},
    ]:
        text = ", ".join(f"{key} {value}" for key, value in kwargs.items())
        yield case(text, maker(cls, **kwargs), labels, logits if "from_logits" in kwargs else p)


def categorical_focal(cls):
    yield from categorical(cls)
    logits, labels = normal((3, 4), "categorical logits") * 2, one_hot([2, 0, 3], 4)
    p = probabilities((3, 4), "categorical p")
    for kwargs in [{"alpha": 0.75}, {"gamma": 0.0}, {"gamma": 0.5}, {"gamma": 3.5, "alpha": 1.0}]:
        text = ", ".join(f"{key} {value}" for key, value in kwargs.items())
        yield case(text, maker(cls, **kwargs), labels, p)
        yield case(f"{text}, from_logits", maker(cls, from_logits=True, **kwargs), labels, logits)


def generalized(cls):
    labels, p = np.array([2, 0, 3], "int32"), probabilities((3, 4), "categorical p")
    yield from reductions(cls, labels, p)
    make = maker(cls)
    for q in [0.1, 0.3, 0.999]:
        yield case(f"q {q}", maker(cls, q=q), labels, p)
    yield case("labels of floats", make, labels.astype("float32"), p)
    yield case("labels of int64", make, labels.astype("int64"), p)
    yield case("probabilities that do not sum to one", make, labels, uniform((3, 4), "categorical unnormed"))
    yield case("exactly one", make, np.array([0, 1], "int32"), one_hot([0, 1], 3))
    yield case("rank 3", make, np.array([[0, 1], [2, 2], [1, 0]], "int32"), probabilities((3, 2, 3), "categorical p3"))
    yield case(
        "rank 3, sample_weight per step",
        make,
        np.array([[0, 1], [2, 2], [1, 0]], "int32"),
        probabilities((3, 2, 3), "categorical p3"),
        uniform((3, 2), "categorical weights"),
    )


def overlap(cls):
    name = cls.__name__
    image = lambda *shape: (
        made_up("areas", shape).integers(0, 2, shape).astype("float32"),
        uniform(shape, "areas p", shape),
    )
    yield from reductions(cls, *image(3, 2, 5, 1), axis=[1, 2, 3])
    make, (y, p) = maker(cls), image(3, 2, 5, 1)
    for axis in [None, 0, -1, [0, 1], [-1, -2], [2]]:
        yield case(f"axis {axis}", maker(cls, axis=axis), y, p)
    yield case("of the batch, sample_weight [n]", make, y, p, np.array([0.5, 2.0, 0.0], "float32"))
    yield case("of the batch, sample_weight [1]", make, y, p, np.array([0.5], "float32"))
    yield case("of the batch, reduction none", maker(cls, reduction="none"), y, p)
    yield case("labels of booleans", make, y.astype("bool"), p)
    yield case("soft labels", make, uniform((3, 4), "soft areas"), uniform((3, 4), "soft areas p"))
    yield case("rank 1", make, *image(7))
    yield case("y_true [n], y_pred [n, 1]", make, image(5)[0], image(5, 1)[1])
    yield case("nothing there, nothing found", make, np.zeros((2, 3), "float32"), np.zeros((2, 3), "float32"))
    yield case("nothing there", make, np.zeros((2, 3), "float32"), image(2, 3)[1])
    yield case("nothing found", make, np.ones((2, 3), "float32"), np.zeros((2, 3), "float32"))
    yield case("all found", make, np.ones((2, 3), "float32"), np.ones((2, 3), "float32"))
    if name == "Tversky":
        for alpha, beta in [(0.2, 0.5), (0.5, 0.3), (0.7, 0.1), (1.0, 0.0), (2.0, 1.5)]:
            yield case(f"alpha {alpha}, beta {beta}", maker(cls, alpha=alpha, beta=beta), y, p)
            yield case(f"alpha {alpha}, beta {beta}, axis 1", maker(cls, alpha=alpha, beta=beta, axis=1), y, p)


def circle(cls):
    def embeddings(n, length=1.0):
        x = normal((n, 3), "embeddings", n)
        return (x / np.linalg.norm(x, axis=-1, keepdims=True) * length).astype("float32")

    make, ids = maker(cls), lambda *labels: np.array(labels, "int32")
    yield from reductions(cls, ids(4, 4, 7), embeddings(3))
    labels = ids(0, 1, 0, 2, 1, 0, 2)
    yield case("seven samples", make, labels, embeddings(7))
    for kwargs in [{"gamma": 2.0}, {"margin": 0.25}, {"margin": -0.1, "gamma": 8.0}, {"margin": 1.5, "gamma": 8.0}]:
        text = ", ".join(f"{key} {value}" for key, value in kwargs.items())
        yield case(text, maker(cls, **kwargs), labels, embeddings(7))
    # Shorter than 1, for the distance of a sample to itself is else a matter of rounding.
    for extra in [{}, {"gamma": 4.0}, {"reduction": "none"}]:
        text = ", ".join(["remove_diagonal", *extra])
        yield case(text, maker(cls, remove_diagonal=False, **extra), labels, embeddings(7, 0.75))
    yield case("longer than 1", maker(cls, gamma=8.0), labels, embeddings(7, 1.25))
    yield case("labels [n, 1]", make, labels[:, None], embeddings(7))
    yield case("labels of floats", make, labels.astype("float32"), embeddings(7))
    yield case("labels below zero", make, labels - 1, embeddings(7))
    yield case("one embedding number", make, ids(0, 0, 1), np.array([[0.5], [-0.25], [1.0]], "float32"))
    weights = uniform((7,), "circle weights")
    for reduction in REDUCTIONS:
        make = maker(cls, reduction=reduction)
        alone = ids(0, 1, 0, 2, 3, 0, 4)
        text = f"some alone, reduction {reduction}"
        yield case(text, make, alone, embeddings(7))
        yield case(f"{text}, sample_weight [n]", make, alone, embeddings(7), weights)
        yield case(f"{text}, sample_weight [n, 1]", make, alone, embeddings(7), weights[:, None])
    yield case("all alone", maker(cls), ids(0, 1, 2, 3, 4), embeddings(5))
    yield case("one class", maker(cls), ids(0, 0, 0, 0, 0), embeddings(5))
    yield case("one sample", maker(cls), ids(0), embeddings(1))


def record():
    clear("losses")
    warnings.filterwarnings("ignore", message=".*expected y_pred.shape to be")
    names = ["MeanSquaredError", "MeanAbsoluteError", "Huber", "KLDivergence", "Poisson", "CategoricalHinge", "LogCosh"]
    kinds = {name: regression for name in names} | {
        "Hinge": hinges,
        "SquaredHinge": hinges,
        "CategoricalCrossentropy": categorical,
        "SparseCategoricalCrossentropy": sparse_categorical,
        "BinaryCrossentropy": binary,
        "MeanAbsolutePercentageError": regression,
        "MeanSquaredLogarithmicError": regression,
        "CosineSimilarity": cosine,
        "BinaryFocalCrossentropy": binary_focal,
        "CategoricalFocalCrossentropy": categorical_focal,
        "CategoricalGeneralizedCrossEntropy": generalized,
        "Dice": overlap,
        "Tversky": overlap,
        "Circle": circle,
    }
    for name, cases in kinds.items():
        write("losses", name, list(cases(getattr(keras.losses, name))))
