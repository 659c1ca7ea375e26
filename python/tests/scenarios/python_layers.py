"""Layers that are Python's: functions as layers, wrappers, categories, and what inputs must be."""

from __future__ import annotations

import numpy as np

STEPS = np.arange(12, dtype="float32").reshape(2, 3, 2)
ROWS = np.array([[1, 5, -2], [2, 5, 0], [4, 5, 7], [9, 5, 3]], "float32")


def _numbers(x):
    return np.round(np.asarray(x, "float64"), 3).tolist()


def _spoken(function):
    """What a mistake says, or that there is none."""
    try:
        function()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "no mistake"


def a_function_as_a_layer(keras):
    inputs = keras.layers.Input((3,))
    square = keras.layers.Lambda(lambda x: x**2, name="square")
    scaled = keras.layers.Lambda(lambda x, by: x * by, arguments={"by": 3.0})
    model = keras.models.Model(inputs, scaled(square(inputs)))
    return model.output_shape, _numbers(model.predict(ROWS, verbose=0))


def a_function_that_knows_whether_it_trains(keras):
    layer = keras.layers.Lambda(lambda x, training: x * (2.0 if training else 1.0))
    return _numbers(layer(ROWS, training=True)), _numbers(layer(ROWS, training=False))


def the_shape_that_a_function_is_said_to_give(keras):
    layer = keras.layers.Lambda(lambda x: x[:, :2], output_shape=(2,))
    other = keras.layers.Lambda(lambda x: x[:, :2], output_shape=lambda shape: (shape[0], 2))
    return [it.compute_output_shape((None, 3)) for it in (layer, other)]


def one_layer_for_every_step(keras):
    layer = keras.layers.TimeDistributed(keras.layers.Dense(4, kernel_initializer="ones"))
    inputs = keras.layers.Input((3, 2))
    model = keras.models.Model(inputs, layer(inputs))
    shapes = [w.shape for w in layer.weights], layer.compute_output_shape((None, 5, 2))
    return model.output_shape, shapes, _numbers(model.predict(STEPS, verbose=0))


def one_model_for_every_step(keras):
    dense = keras.layers.Dense(1, kernel_initializer="ones")
    layer = keras.layers.TimeDistributed(keras.models.Sequential([keras.layers.Flatten(), dense]))
    return _numbers(layer(np.ones((2, 3, 2, 2), "float32")))


def a_wrapper_of_ones_own(keras):
    class Twice(keras.layers.Wrapper):
        def call(self, x):
            return self.layer(self.layer(x))

    layer = Twice(keras.layers.Dense(3, kernel_initializer="ones", bias_initializer="ones"))
    return _numbers(layer(ROWS)), len(layer.trainable_weights), len(layer.layer.weights)


def mistakes_about_layers_within(keras):
    layers = keras.layers
    return [
        _spoken(lambda: layers.Wrapper("dense")),
        _spoken(lambda: layers.TimeDistributed(3)),
        _spoken(lambda: layers.TimeDistributed(layers.Dense(2)).build((2, 3))),
    ]


def what_inputs_must_be(keras):
    class Picky(keras.layers.Layer):
        def __init__(self, **spec):
            super().__init__(name="picky")
            self.input_spec = keras.layers.InputSpec(**spec)

        def call(self, x):
            return x

    specs = [
        {"ndim": 2},
        {"min_ndim": 4},
        {"max_ndim": 2},
        {"axes": {-1: 3}},
        {"axes": {-1: 2, 1: 3}},
        {"shape": (None, 3, 5)},
        {"shape": (None, 3, 2)},
        {"dtype": "int32"},
        {"shape": (None, 3, 2, 1), "allow_last_axis_squeeze": True},
        {"ndim": 2, "name": "query"},
    ]
    shows = [repr(keras.layers.InputSpec(**spec)) for spec in specs]
    return shows, [_spoken(lambda spec=spec: Picky(**spec)(STEPS)) for spec in specs]


def what_several_inputs_must_be(keras):
    class Picky(keras.layers.Layer):
        def call(self, x):
            return x[0]

    layer = Picky(name="picky")
    layer.input_spec = [keras.layers.InputSpec(ndim=3), keras.layers.InputSpec(ndim=2)]
    return _spoken(lambda: layer([STEPS, ROWS])), _spoken(lambda: layer([STEPS, STEPS]))


def expectations_that_cannot_be(keras):
    spec = keras.layers.InputSpec
    return [
        _spoken(lambda: spec(ndim=2, axes={3: 1})),
        _spoken(lambda: spec(axes={"a": 1})),
        spec(ndim=2, axes={1: 3}).get_config(),
    ]


def what_layers_expect(keras):
    layers = keras.layers
    dense = layers.Dense(2, name="dense")
    before = repr(dense.input_spec)
    dense(ROWS)
    return [
        (before, repr(dense.input_spec)),
        _spoken(lambda: dense(STEPS)),
        _spoken(lambda: layers.Dense(2, name="other")(np.zeros(3, "float32"))),
        _spoken(lambda: layers.GlobalAveragePooling1D(name="pool")(ROWS)),
        _spoken(lambda: layers.ZeroPadding2D(name="pad")(STEPS)),
    ]


def normalization_learns_from_an_array(keras):
    layer = keras.layers.Normalization()
    layer.adapt(ROWS)
    shown = _numbers(layer(ROWS)), _numbers(layer.mean), _numbers(layer.variance)
    weights = [(w.name, w.shape, w.trainable, _numbers(w)) for w in layer.weights]
    return shown, weights, layer.get_config()["axis"]


def normalization_over_all_axes_and_back(keras):
    layer = keras.layers.Normalization(axis=None, invert=True)
    layer.adapt(ROWS)
    return _numbers(layer(ROWS)), layer.mean.shape


def normalization_along_two_axes(keras):
    layer = keras.layers.Normalization(axis=(1, 2))
    layer.adapt(STEPS)
    return _numbers(layer(STEPS)), layer.mean.shape


def normalization_that_has_learned_nothing(keras):
    layer = keras.layers.Normalization()
    return layer.mean, _numbers(layer(ROWS))


def normalization_in_a_model(keras):
    layer = keras.layers.Normalization(axis=-1)
    layer.adapt(ROWS)
    model = keras.models.Sequential([layer, keras.layers.Dense(1, kernel_initializer="ones")])
    before = _numbers(model.predict(ROWS, verbose=0))
    model.compile("sgd", "mse")
    history = model.fit(ROWS, ROWS[:, :1], epochs=2, shuffle=False, verbose=0)
    return before, _numbers(history.history["loss"]), _numbers(layer.mean)


def normalization_is_given_mean_and_variance(keras):
    layer = keras.layers.Normalization(mean=[1.0, 2.0, 3.0], variance=[4.0, 1.0, 0.0])
    before = layer.mean
    return before, _numbers(layer(ROWS)), _numbers(layer.mean), layer.get_config()["mean"]


def mistakes_about_normalization(keras):
    build = keras.layers.Normalization
    adapted = build()
    adapted.adapt(ROWS)
    return [
        _spoken(lambda: build(mean=1.0)),
        _spoken(lambda: build(axis=4).build((None, 3))),
        _spoken(lambda: build(axis=1).build((None, None, 3))),
        _spoken(lambda: adapted.adapt(ROWS[:, :2])),
    ]


def categories_as_vectors(keras):
    found = []
    for mode in ("multi_hot", "one_hot", "count"):
        layer = keras.layers.CategoryEncoding(num_tokens=4, output_mode=mode)
        inputs = ([[1, 2, 2], [0, 3, 1]], [3, 1], [[2], [0]])
        found += [_numbers(layer(np.array(x, "int32"))) for x in inputs]
    weights = np.array([[0.1, 0.2, 0.3], [1, 2, 3]], "float32")
    layer = keras.layers.CategoryEncoding(num_tokens=4, output_mode="count")
    x = np.array([[1, 2, 2], [0, 3, 1]], "int32")
    return found, _numbers(layer(x, count_weights=weights))


def mistakes_about_categories(keras):
    build = keras.layers.CategoryEncoding
    return [
        _spoken(lambda: build()),
        _spoken(lambda: build(num_tokens=0)),
        _spoken(lambda: build(num_tokens=2, output_mode="cold")),
    ]


def numbers_as_intervals(keras):
    x = np.array([[-1.5, 1.0, 3.4, 0.5], [0.0, 3.0, 1.3, 0.0]], "float32")
    found = []
    for mode in ("int", "one_hot", "multi_hot", "count"):
        layer = keras.layers.Discretization(bin_boundaries=[0.0, 1.0, 2.0], output_mode=mode)
        found.append(_numbers(layer(x)))
    return found


def mistakes_about_intervals(keras):
    build = keras.layers.Discretization
    return [
        _spoken(lambda: build()),
        _spoken(lambda: build(num_bins=-1)),
        _spoken(lambda: build(num_bins=2, bin_boundaries=[0.0])),
    ]
