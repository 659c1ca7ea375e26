"""Rare classes that count for more, and the last samples kept for validation: prints curves."""

import json
import sys

import keras
import numpy as np

seed = int(sys.argv[1])
keras.utils.set_random_seed(seed)
rng = np.random.default_rng(seed)

labels = rng.choice(3, size=203, p=[0.7, 0.2, 0.1])
x = (rng.normal(size=(203, 9)) + labels[:, None]).astype("float32")
counts = np.bincount(labels, minlength=3)
class_weight = {index: float(203 / (3 * count)) for index, count in enumerate(counts)}

model = keras.models.Sequential(
    [
        keras.layers.Input(shape=(9,)),
        keras.layers.Dense(
            19,
            activation="relu",
            kernel_initializer="he_normal",
            kernel_regularizer="l2",
            kernel_constraint=keras.constraints.MaxNorm(2),
        ),
        keras.layers.Dropout(0.3, seed=7),
        keras.layers.Dense(3),
    ]
)
model.compile(
    optimizer=keras.optimizers.SGD(0.05, momentum=0.9, nesterov=True),
    loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    metrics=["accuracy"],
    weighted_metrics=[keras.metrics.SparseCategoricalAccuracy(name="fair_accuracy")],
)
history = model.fit(
    x, labels, epochs=5, validation_split=0.25, class_weight=class_weight, verbose=0
)
result = {
    "history": history.history,
    "epochs": history.epoch,
    "params": history.params,
    "evaluate": model.evaluate(x, labels, verbose=0),
    "weighted evaluate": model.evaluate(
        x, labels, sample_weight=np.where(labels == 2, 5.0, 1.0), batch_size=50, verbose=0
    ),
    "classes": model.predict(x, verbose=0).argmax(axis=1).tolist(),
}
print(json.dumps(result))
