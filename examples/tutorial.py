"""A first network: five classes, two hidden layers with dropout between, made-up data.

oxhorn run examples/tutorial.py        or, with TensorFlow installed,   python examples/tutorial.py
"""

# %% Numbers that have nothing to do with their labels: the best that can be learned is a guess.
import numpy as np
from tensorflow import keras
from tensorflow.keras import layers


def samples(count):
    """Rows of 25 numbers between 0 and 1, and the class of each as a row of five zeros and ones."""
    x = np.random.random((count, 25))
    y = keras.utils.to_categorical(np.random.randint(5, size=(count, 1)))
    return x, y


x_train, y_train = samples(1200)
x_test, y_test = samples(200)

# %% Dropout silences four units in ten while the network trains, others in each step.
model = keras.Sequential()
model.add(layers.Dense(64, activation="relu", input_dim=25))
model.add(layers.Dropout(0.4))
model.add(layers.Dense(64, activation="relu"))
model.add(layers.Dropout(0.4))
model.add(layers.Dense(5, activation="softmax"))

# %% Ten epochs of 38 steps.
model.compile(optimizer="adam", loss="categorical_crossentropy", metrics=["accuracy"])
model.fit(x_train, y_train, epochs=10, batch_size=32, validation_data=(x_test, y_test))

# %% Nothing is dropped where the network is only asked.
test_loss, test_accuracy = model.evaluate(x_test, y_test)
print("Test Model Loss:", test_loss)
print("Test Model Accuracy:", test_accuracy)
