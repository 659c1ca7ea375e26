"""keras.optimizers.schedules: the learning rate at given steps."""

import keras
import numpy as np

from .common import clear, envelope, fresh, number, write

STEPS = [0, 1, 2, 3, 4, 5, 7, 9, 10, 11, 14, 19, 20, 21, 29, 30, 31, 50, 100, 1000]
VARIANTS = {
    "ExponentialDecay": [
        {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5},
        {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5, "staircase": True},
        {"initial_learning_rate": 0.01, "decay_steps": 7, "decay_rate": 0.96, "name": "slow"},
    ],
    "InverseTimeDecay": [
        {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5},
        {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5, "staircase": True},
    ],
    "PiecewiseConstantDecay": [
        {"boundaries": [10, 20], "values": [1.0, 0.5, 0.1]},
        {"boundaries": [4], "values": [0.01, 0.001], "name": "two"},
    ],
    "PolynomialDecay": [
        {"initial_learning_rate": 0.1, "decay_steps": 10},
        {"initial_learning_rate": 0.1, "decay_steps": 10, "end_learning_rate": 0.01, "power": 2.0},
        {"initial_learning_rate": 0.1, "decay_steps": 10, "power": 0.5, "cycle": True},
        {"initial_learning_rate": 0.1, "decay_steps": 10, "cycle": True},
    ],
    "CosineDecay": [
        {"initial_learning_rate": 0.1, "decay_steps": 20},
        {"initial_learning_rate": 0.1, "decay_steps": 20, "alpha": 0.1},
        {"initial_learning_rate": 0.0, "decay_steps": 20, "warmup_target": 0.1, "warmup_steps": 10},
        {"initial_learning_rate": 0.02, "decay_steps": 20, "alpha": 0.2, "warmup_target": 0.1, "warmup_steps": 5},
    ],
    "CosineDecayRestarts": [
        {"initial_learning_rate": 0.1, "first_decay_steps": 10},
        {"initial_learning_rate": 0.1, "first_decay_steps": 10, "t_mul": 1.0},
        {"initial_learning_rate": 0.1, "first_decay_steps": 5, "t_mul": 1.5, "m_mul": 0.5, "alpha": 0.1},
    ],
}


def record():
    clear("schedules")
    for name, variants in VARIANTS.items():
        cases = []
        for kwargs in variants:
            fresh()
            schedule = getattr(keras.optimizers.schedules, name)(**kwargs)
            # The optimizer hands over its int32 iteration counter.
            values = [number(np.float32(schedule(keras.ops.convert_to_tensor(step, "int32")))) for step in STEPS]
            title = ", ".join(f"{k} {v}" for k, v in kwargs.items())
            cases.append({"name": title, "config": envelope(schedule), "steps": STEPS, "values": values})
        write("schedules", name, cases)
