"""keras.optimizers: the variables after each of five steps with given gradients."""

import keras
import numpy as np

from .common import array, arrays, clear, envelope, fresh, normal, number, write

WEIGHTS = {"kernel": (1, 2), "bias": (3,), "gain": (1,)}
# For rules that look at a weight as a whole: wide, tall, none of both, and what is no matrix.
MATRICES = {"kernel": (2, 3), "tall": (5, 2), "Embeddings": (2, 2), "bias": (3,), "gain": (), "deep": (2, 3, 2)}
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


def weights_of(name):
    """The shapes of the weights that an optimizer of this class is tried on."""
    return MATRICES if name in ("Adafactor", "Lamb", "Muon") else WEIGHTS


def initial(shapes):
    return [normal(shape, "initial", i) for i, shape in enumerate(shapes.values())]


def gradients(name):
    """Step 4's gradients are all zeros; the first of the bias is zero throughout."""
    shapes = weights_of(name)
    steps = [
        [
            np.round(normal(shape, "gradient", step, i) * np.float32(scale), 3).astype("float32")
            for i, shape in enumerate(shapes.values())
        ]
        for step, scale in enumerate(SCALES)
    ]
    for step in steps:
        step[list(shapes).index("bias")][0] = 0.0
    return scaled(steps) if name == "LossScaleOptimizer" else steps


def scaled(steps):
    """Gradients of a loss times 4, later 8, with two steps in between that are not finite."""
    infinite, unknown = [[np.copy(g) for g in steps[0]] for _ in range(2)]
    infinite[0][0, 1] = np.inf
    unknown[1][2] = np.nan
    steps = [infinite, *steps[:3], unknown, *steps[3:]]
    return [[(g * np.float32(4.0)) for g in step] for step in steps]


def apply(optimizer, step, variables):
    if not isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return optimizer.apply(step)
    # On JAX its condition can be traced in no other way.
    values = [v.value for v in optimizer.variables], step, [v.value for v in variables]
    for vs, new in zip([variables, optimizer.variables], optimizer.stateless_apply(*values)):
        for v, value in zip(vs, new):
            v.assign(value)


def case(title, cls, kwargs, exclude=None, averages=False, holder=None):
    """A case of this class, or of a `holder` of other optimizers, which `cls` makes with them."""
    fresh()
    name = holder or cls.__name__
    optimizer = cls(**kwargs)
    several = not hasattr(optimizer, "learning_rate")
    out = {
        "name": title,
        "config": envelope(optimizer),
        "exclude_from_weight_decay": exclude,
        "learning_rates": None if several else [],
        "values": [],
    }
    shapes = weights_of(name)
    variables = [keras.Variable(v, name=n) for v, n in zip(initial(shapes), shapes)]
    optimizer.build(variables)
    if exclude:
        optimizer.exclude_from_weight_decay(var_names=exclude)
    for step in gradients(name):
        if not several:
            out["learning_rates"].append(number(np.float32(optimizer.learning_rate)))
        apply(optimizer, step, variables)
        out["values"].append(arrays([v.value for v in variables]))
    if not kwargs.keys() & {"clipnorm", "clipvalue", "global_clipnorm", "weight_decay", "loss_scale_factor", "name"}:
        out["state"] = [{"name": v.path, "value": array(v.value)} for v in optimizer.variables]
    if averages or kwargs.get("use_ema"):
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
    "Adafactor": [
        {"learning_rate": 0.9},
        {"beta_2_decay": -0.3},
        {"epsilon_1": 0.1},
        {"epsilon_2": 2.0},
        {"clip_threshold": 0.4},
        {"learning_rate": 0.9, "relative_step": False},
    ],
    "Ftrl": [
        {"learning_rate": 0.3},
        {"learning_rate": 0.3, "learning_rate_power": -0.8},
        {"learning_rate": 0.3, "learning_rate_power": 0.0},
        {"learning_rate": 0.3, "initial_accumulator_value": 0.0},
        {"learning_rate": 0.3, "l1_regularization_strength": 0.6},
        {"learning_rate": 0.3, "l2_regularization_strength": 0.6},
        {"learning_rate": 0.3, "l2_shrinkage_regularization_strength": 0.6},
        {"learning_rate": 0.3, "beta": 0.6},
    ],
    "Lamb": [{"learning_rate": 0.03}, {"beta_1": 0.5}, {"beta_2": 0.9}, {"epsilon": 0.1}],
    "Muon": [
        {"learning_rate": 0.03},
        {"adam_beta_1": 0.5},
        {"adam_beta_2": 0.9},
        {"adam_weight_decay": None},
        {"learning_rate": 0.03, "weight_decay": None, "adam_weight_decay": 0.5},
        {"epsilon": 0.1},
        {"exclude_layers": ["^t.l+$", "nothing"]},
        {"exclude_embeddings": False},
        {"muon_a": 3.0, "muon_b": -3.2, "muon_c": 1.2},
        {"adam_lr_ratio": 0.5},
        {"momentum": 0.5},
        {"nesterov": False},
        {"ns_steps": 0},
        {"ns_steps": 3},
        {"rms_rate": None},
        {"rms_rate": 0.5},
    ],
    "ScheduleFreeAdamW": [
        {"learning_rate": 0.03},
        {"learning_rate": 0.03, "beta_1": 0.5},
        {"learning_rate": 0.03, "beta_2": 0.9},
        {"learning_rate": 0.03, "epsilon": 0.1},
        {"learning_rate": 0.03, "warmup_steps": 3},
    ],
}


def loss_scale_cases():
    """Each case makes the optimizers within anew, so that their names begin anew."""
    o = keras.optimizers
    ema = {"use_ema": True, "ema_momentum": 0.5}
    schedule = o.schedules.ExponentialDecay(0.1, 2, 0.5)
    scaled = {"initial_scale": 4.0}
    inner = {
        "default": (lambda: o.Adam(), {}),
        "initial_scale 4.0": (lambda: o.Adam(0.03), scaled),
        "dynamic_growth_steps 2": (lambda: o.SGD(0.3, momentum=0.9), {**scaled, "dynamic_growth_steps": 2}),
        "dynamic_growth_steps 1": (lambda: o.SGD(0.3), {**scaled, "dynamic_growth_steps": 1}),
        "clipnorm": (lambda: o.Adam(0.05, clipnorm=0.7), scaled),
        "use_ema": (lambda: o.SGD(0.05, **ema), scaled),
        "gradient_accumulation_steps": (lambda: o.Adam(0.05, gradient_accumulation_steps=2), scaled),
        "schedule": (lambda: o.SGD(schedule), scaled),
        "name": (lambda: o.Lion(), {"name": "mine"}),
        "MultiOptimizer": (lambda: o.MultiOptimizer(o.OptimizerMap(o.SGD(0.1), {"bias": o.Adam(0.05)})), scaled),
    }
    for title, (make, kwargs) in inner.items():
        cls = lambda make=make, **kwargs: o.LossScaleOptimizer(make(), **kwargs)
        yield case(title, cls, kwargs, averages=title == "use_ema", holder="LossScaleOptimizer")


def multi_cases():
    o = keras.optimizers
    ema = {"use_ema": True, "ema_momentum": 0.5}
    schedule = o.schedules.ExponentialDecay(0.1, 2, 0.5)
    maps = {
        "default": (lambda: o.OptimizerMap(o.SGD()), {}),
        "by path and by pattern": (
            lambda: o.OptimizerMap(o.SGD(0.1, momentum=0.9), {"bias": o.Adam(0.05), "[bg].*|none": o.Lion()}),
            {},
        ),
        "two of one name": (lambda: o.OptimizerMap(o.Adam(0.1), {"bias": o.Adam(0.05)}), {}),
        "use_ema": (lambda: o.OptimizerMap(o.SGD(0.1, **ema), {"bias": o.Adam(0.05, **ema)}), {}),
        "loss_scale_factor": (lambda: o.OptimizerMap(o.SGD(0.1), {"bias": o.Adam(0.05)}), {"loss_scale_factor": 4.0}),
        "gradient_accumulation_steps": (
            lambda: o.OptimizerMap(o.SGD(0.1), {"bias": o.Adam(0.05, gradient_accumulation_steps=2)}),
            {},
        ),
        "schedule": (lambda: o.OptimizerMap(o.SGD(schedule), {"bias": o.Adam(0.05)}), {}),
        "name": (lambda: o.OptimizerMap(o.SGD(0.1)), {"name": "mine"}),
    }
    for title, (make, kwargs) in maps.items():
        cls = lambda make=make, **kwargs: o.MultiOptimizer(make(), **kwargs)
        yield case(title, cls, kwargs, averages=title == "use_ema", holder="MultiOptimizer")


HOLDERS = {"LossScaleOptimizer": loss_scale_cases, "MultiOptimizer": multi_cases}


def cases(name):
    if name in HOLDERS:
        yield from HOLDERS[name]()
        return
    cls = getattr(keras.optimizers, name)
    yield case("default", cls, {})
    for kwargs in OWN[name]:
        yield case(", ".join(f"{k} {v}" for k, v in kwargs.items()), cls, kwargs)
    for title, kwargs in SHARED.items():
        yield case(title, cls, {"learning_rate": 0.05, **kwargs})
    yield case("weight_decay, bias excluded", cls, {"learning_rate": 0.05, "weight_decay": 0.1}, exclude=["bias"])
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)
    yield case("schedule as learning_rate", cls, {"learning_rate": schedule})


def record():
    clear("optimizers")
    for name in [*OWN, *HOLDERS]:
        write(
            "optimizers",
            name,
            list(cases(name)),
            variables=list(weights_of(name)),
            initial=arrays(initial(weights_of(name))),
            gradients=[arrays(step) for step in gradients(name)],
        )
