"""A functional regression on two inputs that share a layer: prints its curves as JSON."""

import json
import sys

import keras
import numpy as np
from keras.layers import Concatenate, Dense, Dropout, Input

seed = int(sys.argv[1])
keras.utils.set_random_seed(seed)
rng = np.random.default_rng(seed)

before, after = rng.normal(size=(2, 157, 7)).astype("float32")
age = rng.uniform(20, 60, size=(157, 1)).astype("float32") / 60
target = (after - before).sum(axis=1, keepdims=True) * age

first = Input((7,), name="before")
second = Input((7,), name="after")
third = Input((1,), name="age")
# One layer, so one kernel, looks at both measurements.
look = Dense(11, activation="tanh", name="look")
joined = Concatenate(name="joined")([look(first), look(second), third])
hidden = Dropout(0.1, name="noise")(Dense(13, activation="relu", name="hidden")(joined))
change = Dense(1, name="change")(hidden)
model = keras.Model([first, second, third], change, name="change_of_two")
model.compile("rmsprop", loss="mse", metrics=["mae"])

x = {"before": before, "after": after, "age": age}
history = model.fit(x, target, epochs=5, batch_size=20, validation_split=0.2, verbose=0)
result = {
    "history": history.history,
    "evaluate": model.evaluate([before, after, age], target, verbose=0),
    "evaluate as dict": model.evaluate(x, target, verbose=0, return_dict=True),
    "predict": model.predict([before[:3], after[:3], age[:3]], verbose=0).tolist(),
    "weights": {weight.path: list(weight.shape) for weight in model.weights},
    "parameters": model.count_params(),
}
print(json.dumps(result))
