"""keras.optimizers: the variables after each of five steps with given gradients."""

import keras
import numpy as np

from .common import array, arrays, clear, envelope, fresh, normal, number, write

SHAPES = [(1, 2), (3,), (1,)]
SCALES = [1.0, 0.1, 3.0, 0.0, 2.0]
SHARED = {
    "clipnorm": {"clipnorm": 0.7},
    "clipvalue": {"clipvalue": 0.4},
    "global_clipnorm": {"global_clipnorm": 0.9},
    "weight_decay": {"weight_decay": 0.1},
    "use_ema": {"use_ema": True, "ema_momentum": 0.5},
    "ema_overwrite_frequency": {"use_ema": True, "ema_momentum": 0.5, "ema_overwrite_frequency": 2},
    "gradient_accumulation_steps": {"gradient_accumulation_steps": 2},
    "loss_scale_factor": {"loss_scale_factor": 4.0},
    "name": {"name": "mine"},
}


NAMES = ["kernel", "bias", "gain"]


def initial():
    return [normal(shape, "initial", i) for i, shape in enumerate(SHAPES)]


def gradients():
    """Step 4's gradients are all zeros; the first of the bias is zero throughout."""
    steps = [
        [np.round(normal(shape, "gradient", step, i) * np.float32(scale), 3) for i, shape in enumerate(SHAPES)]
        for step, scale in enumerate(SCALES)
    ]
    for step in steps:
        step[1][0] = 0.0
    return steps


def case(title, cls, exclude=None, **kwargs):
    fresh()
    optimizer = cls(**kwargs)
    out = {
        "name": title,
        "config": envelope(optimizer),
        "exclude_from_weight_decay": exclude,
        "learning_rates": [],
        "values": [],
    }
    variables = [keras.Variable(v, name=name) for v, name in zip(initial(), NAMES)]
    optimizer.build(variables)
    if exclude:
        optimizer.exclude_from_weight_decay(var_names=exclude)
    for step in gradients():
        out["learning_rates"].append(number(np.float32(optimizer.learning_rate)))
        optimizer.apply(step)
        out["values"].append(arrays([v.value for v in variables]))
    if not kwargs.keys() & {"clipnorm", "clipvalue", "global_clipnorm", "weight_decay", "loss_scale_factor", "name"}:
        out["state"] = [{"name": v.path, "value": array(v.value)} for v in optimizer.variables]
    if kwargs.get("use_ema"):
        optimizer.finalize_variable_values(variables)
        out["finalized"] = arrays([v.value for v in variables])
    return out


OWN = {
    "SGD": [
        {"learning_rate": 0.3},
        {"momentum": 0.9},
        {"momentum": 0.9, "nesterov": True},
        {"momentum": 0.9, "weight_decay": 0.1, "clipnorm": 0.7},
    ],
    "RMSprop": [
        {"learning_rate": 0.03},
        {"rho": 0.5},
        {"momentum": 0.9},
        {"centered": True},
        {"momentum": 0.9, "centered": True},
        {"epsilon": 0.1},
    ],
    "Adam": [
        {"learning_rate": 0.03},
        {"beta_1": 0.5},
        {"beta_2": 0.9},
        {"epsilon": 0.1},
        {"amsgrad": True},
        {"amsgrad": True, "beta_2": 0.3},
    ],
    "AdamW": [
        {"learning_rate": 0.03},
        {"beta_1": 0.5},
        {"beta_2": 0.9},
        {"epsilon": 0.1},
        {"amsgrad": True, "beta_2": 0.3},
    ],
    "Nadam": [{"learning_rate": 0.03}, {"beta_1": 0.5}, {"beta_2": 0.9}, {"epsilon": 0.1}],
    "Adagrad": [{"learning_rate": 0.3}, {"initial_accumulator_value": 0.5}, {"epsilon": 0.1}],
    "Adadelta": [{"learning_rate": 1.0}, {"rho": 0.5}, {"epsilon": 0.1}],
    "Adamax": [{"learning_rate": 0.03}, {"beta_1": 0.5}, {"beta_2": 0.9}, {"epsilon": 0.1}],
    "Lion": [{"learning_rate": 0.03}, {"beta_1": 0.5}, {"beta_2": 0.5}],
}


def cases(name):
    cls = getattr(keras.optimizers, name)
    yield case("default", cls)
    for kwargs in OWN[name]:
        yield case(", ".join(f"{k} {v}" for k, v in kwargs.items()), cls, **kwargs)
    for title, kwargs in SHARED.items():
        yield case(title, cls, **{"learning_rate": 0.05, **kwargs})
    yield case("weight_decay, bias excluded", cls, exclude=["bias"], learning_rate=0.05, weight_decay=0.1)
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)
    yield case("schedule as learning_rate", cls, learning_rate=schedule)


def record():
    clear("optimizers")
    for name in OWN:
        write(
            "optimizers",
            name,
            list(cases(name)),
            variables=NAMES,
            initial=arrays(initial()),
            gradients=[arrays(step) for step in gradients()],
        )
