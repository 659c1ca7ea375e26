"""The tutorial's network on made-up data, with validation: prints its curves as JSON."""

import json
import sys

import keras
import numpy as np
from keras import layers

keras.utils.set_random_seed(int(sys.argv[1]))


def samples(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of 25 numbers, and one of five classes for each, drawn as the tutorial draws them."""
    x = np.random.random((n, 25))
    return x, keras.utils.to_categorical(np.random.randint(5, size=(n, 1)), 5)


x_train, y_train = samples(300)
x_test, y_test = samples(70)

model = keras.Sequential()
model.add(layers.Dense(64, activation="relu", input_dim=25))
model.add(layers.Dropout(0.4))
model.add(layers.Dense(64, activation="relu"))
model.add(layers.Dropout(0.4))
model.add(layers.Dense(5, activation="softmax"))
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])

history = model.fit(
    x_train, y_train, epochs=6, batch_size=32, validation_data=(x_test, y_test), verbose=0
)
result = {
    "history": history.history,
    "evaluate": model.evaluate(x_test, y_test, verbose=0),
    "predict": model.predict(x_test[:3], verbose=0).tolist(),
}
print(json.dumps(result))
