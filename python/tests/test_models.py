"""Models as objects: their layers, weights, shapes and copies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import oxhorn as keras
from oxhorn import layers, ops
from oxhorn.models import Model, Sequential, clone_model

ROWS = np.linspace(-1.0, 1.0, 21, dtype="float32").reshape(7, 3)


@pytest.fixture(autouse=True)
def new_session() -> None:
    keras.utils.clear_session()


def chain() -> Sequential:
    return Sequential([layers.Input((3,)), layers.Dense(4, activation="relu"), layers.Dense(2)])


def predicted(model: Any, x: Any = ROWS) -> Any:
    return model.predict(x, verbose=0)


# Layers ------------------------------------------------------------------------------------------


def test_layers_are_found_by_name_and_by_index() -> None:
    model = chain()
    assert model.get_layer("dense_1") is model.layers[1] is model.get_layer(index=1)
    with pytest.raises(
        ValueError, match=r"No such layer: x. Existing layers are: \['dense', 'dense_1'\]."
    ):
        model.get_layer("x")
    with pytest.raises(ValueError, match="index 2 but model only has 2 layers"):
        model.get_layer(index=2)
    with pytest.raises(ValueError, match="Provide only a layer name or a layer index"):
        model.get_layer("dense", 0)
    with pytest.raises(ValueError, match="Provide either a layer name or layer index"):
        model.get_layer()


def test_layers_of_a_graph_are_in_keras_order() -> None:
    # What is farthest from the outputs comes first; `b` is met before `first` on the way back.
    a, b = layers.Input((3,), name="a"), layers.Input((3,), name="b")
    late = layers.Dense(2, name="late")(b)
    early = layers.Dense(2, name="second")(layers.Dense(2, name="first")(a))
    model = Model([a, b], layers.Add(name="sum")([late, early]))
    assert [layer.name for layer in model.layers] == ["a", "b", "first", "late", "second", "sum"]


def test_inputs_that_lead_nowhere_are_layers_all_the_same() -> None:
    a, b = layers.Input((3,), name="a"), layers.Input((3,), name="b")
    model = Model([a, b], layers.Dense(1, name="d")(a))
    assert [layer.name for layer in model.layers] == ["a", "b", "d"]
    assert predicted(model, [ROWS, ROWS]).shape == (7, 1)


def test_names_of_a_model_must_differ() -> None:
    x = layers.Input((3,))
    y = layers.Dense(3, name="twin")(layers.Dense(3, name="twin")(x))
    with pytest.raises(ValueError, match='The name "twin" is used 2 times in the model.'):
        Model(x, y)


def test_a_shared_layer_is_one_layer_with_one_set_of_weights() -> None:
    a, b = layers.Input((3,)), layers.Input((3,))
    shared = layers.Dense(2)
    model = Model([a, b], [shared(a), shared(b)])
    assert model.count_params() == 8
    first, second = predicted(model, [ROWS, ROWS])
    np.testing.assert_array_equal(first, second)


def test_the_input_and_output_of_a_layer_are_those_of_its_first_call() -> None:
    a, b = layers.Input((3,), name="a"), layers.Input((3,), name="b")
    shared = layers.Dense(2)
    first, _ = shared(a), shared(b)
    assert shared.input is a and shared.output is first
    with pytest.raises(AttributeError, match="has never been called and thus has no defined input"):
        layers.Dense(1, name="idle").input


def test_a_part_of_a_model_is_a_model_with_the_same_layers() -> None:
    x = layers.Input((3,))
    middle = layers.Dense(4, activation="relu", name="middle")(x)
    whole = Model(x, layers.Dense(2, name="end")(middle))
    head, tail = Model(x, middle), Model(middle, whole.output)
    assert [layer.name for layer in tail.layers[1:]] == ["end"]
    assert tail.get_layer("end") is whole.get_layer("end")
    np.testing.assert_allclose(predicted(tail, predicted(head)), predicted(whole), rtol=1e-6)


def test_models_are_layers_of_models() -> None:
    inner = chain()
    x = layers.Input((3,))
    model = Model(x, layers.Dense(1)(inner(x)))
    assert model.layers[1] is inner
    assert model.count_params() == inner.count_params() + 3
    assert [w.path for w in model.weights[:1]] == ["sequential/dense/kernel"]
    model.layers[1].trainable = False
    assert len(model.trainable_weights) == 2 and len(model.non_trainable_weights) == 4


def test_shapes_and_names_of_the_ends() -> None:
    a, b = layers.Input((3,), name="a"), layers.Input((None, 2), name="b")
    model = Model(
        {"a": a, "b": b}, {"y": layers.Dense(4)(a), "z": layers.Flatten()(layers.Dense(1)(a))}
    )
    assert model.input_shape == {"a": (None, 3), "b": (None, None, 2)}
    assert model.output_shape == {"y": (None, 4), "z": (None, 1)}
    assert model.input_names == ["a", "b"]


# Weights -----------------------------------------------------------------------------------------


def test_weights_are_given_in_the_order_of_the_layers() -> None:
    model = chain()
    assert [w.shape for w in model.get_weights()] == [(3, 4), (4,), (4, 2), (2,)]
    assert model.count_params() == 3 * 4 + 4 + 4 * 2 + 2
    ones = [np.ones_like(w) for w in model.get_weights()]
    model.set_weights(ones)
    hidden = np.maximum(ROWS.sum(axis=1) + 1.0, 0.0)
    expected = np.stack([4.0 * hidden + 1.0] * 2, axis=1)
    np.testing.assert_allclose(predicted(model), expected, rtol=1e-6)


def test_weights_that_do_not_fit_are_refused_as_a_whole() -> None:
    model = chain()
    before = model.get_weights()
    with pytest.raises(ValueError, match="of length 1, but the layer was expecting 4 weights"):
        model.set_weights([before[0]])
    wrong = [np.zeros_like(before[0]), before[1], before[2], np.zeros(3, "float32")]
    with pytest.raises(ValueError, match=r"weight shape \(2,\) is not compatible"):
        model.set_weights(wrong)
    for now, then in zip(model.get_weights(), before):
        np.testing.assert_array_equal(now, then)


def test_what_is_not_trainable_keeps_its_weights_in_training() -> None:
    model = chain()
    model.layers[0].trainable = False
    model.compile("sgd", "mse")
    frozen, free = model.layers[0].get_weights(), model.layers[1].get_weights()
    model.fit(ROWS, np.ones((7, 2)), verbose=0)
    np.testing.assert_array_equal(model.layers[0].get_weights()[0], frozen[0])
    assert not np.array_equal(model.layers[1].get_weights()[0], free[0])
    assert [w.path for w in model.trainable_weights] == [w.path for w in model.layers[1].weights]


def test_parameters_cannot_be_counted_before_there_are_any() -> None:
    model = Sequential([layers.Dense(2)])
    with pytest.raises(ValueError, match="You tried to call `count_params` on layer 'sequential'"):
        model.count_params()


def test_layers_without_weights_are_built_when_they_are_made_as_in_keras() -> None:
    assert layers.Dropout(0.5).built and layers.ReLU().built and layers.Reshape((1,)).built
    assert not layers.Dense(1).built and not layers.Flatten().built


# Sequential --------------------------------------------------------------------------------------


def test_layers_can_be_added_after_a_model_is_built() -> None:
    model = chain()
    before = model.get_weights()
    model.add(layers.Dense(5))
    assert model.output_shape == (None, 5)
    assert [w.shape for w in model.get_weights()[4:]] == [(2, 5), (5,)]
    np.testing.assert_array_equal(model.get_weights()[0], before[0])
    assert predicted(model).shape == (7, 5)


def test_the_last_layer_can_be_removed() -> None:
    model = chain()
    predicted(model)
    removed = model.pop()
    assert removed.name == "dense_1" and model.output_shape == (None, 4)
    assert predicted(model).shape == (7, 4)


def test_a_chain_is_built_by_the_first_data_or_by_hand() -> None:
    by_data, by_hand = (Sequential([layers.Dense(4), layers.Dropout(0.5)]) for _ in range(2))
    assert not by_data.built and by_data.weights == []
    predicted(by_data)
    by_hand.build((None, 3))
    assert [w.shape for w in by_data.weights] == [w.shape for w in by_hand.weights]
    assert by_hand.input_shape == (None, 3)


def test_what_is_no_layer_is_refused() -> None:
    with pytest.raises(ValueError, match="Only instances of `keras.Layer` can be added"):
        Sequential(["dense"])
    with pytest.raises(ValueError, match="should have unique names. Name 'a' is already"):
        Sequential([layers.Dense(1, name="a"), layers.Dense(1, name="a")])
    with pytest.raises(ValueError, match="cannot be built because it has no layers"):
        Sequential().build((None, 3))


# Classes of one's own ----------------------------------------------------------------------------


class Net(Model):
    def __init__(self, units: int = 4, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.first = layers.Dense(units, activation="relu")
        self.rest = {"mean": layers.Dense(1), "more": [layers.Dropout(0.5), layers.Dense(2)]}

    def call(self, x: Any, training: bool = False) -> Any:
        x = self.first(x)
        for layer in self.rest["more"]:
            x = layer(x)
        return ops.concatenate([x, self.rest["mean"](x)], axis=-1)


def test_a_model_knows_the_layers_in_its_attributes() -> None:
    model = Net()
    assert [type(layer).__name__ for layer in model.layers] == [
        "Dense",
        "Dense",
        "Dropout",
        "Dense",
    ]
    model.build((None, 3))
    assert model.count_params() == 16 + (2 + 1) + (4 * 2 + 2)
    assert predicted(model).shape == (7, 3)


def test_a_layer_is_told_the_shapes_that_its_build_names() -> None:
    class Pair(layers.Layer):
        def build(self, left_shape: Any, right_shape: Any) -> None:
            self.told = (left_shape, right_shape)

        def call(self, left: Any, right: Any) -> Any:
            return left + right

    pair = Pair()
    pair(np.ones((2, 3), "float32"), right=np.ones((2, 1), "float32"))
    assert pair.told == ((2, 3), (2, 1))
    shapes = {"left_shape": (2, 3), "right_shape": (2, 1)}
    assert pair.get_build_config() == {"shapes_dict": shapes}


def test_a_subclass_of_a_layer_builds_what_it_adds() -> None:
    class Offset(layers.Dense):
        def build(self, input_shape: Any) -> None:
            super().build(input_shape)
            self.offset = self.add_weight(shape=(self.units,), initializer="ones", name="offset")

        def call(self, inputs: Any) -> Any:
            return super().call(inputs) + self.offset

    model = Sequential([layers.Input((3,)), Offset(2, kernel_initializer="ones")])
    assert [w.name for w in model.weights] == ["kernel", "bias", "offset"]
    expected = np.repeat(ROWS.sum(axis=1, keepdims=True) + 1.0, 2, axis=1)
    np.testing.assert_allclose(predicted(model), expected, rtol=1e-6)


def test_a_layer_whose_init_does_not_call_supers_is_told() -> None:
    class Careless(layers.Layer):
        def __init__(self) -> None:
            pass

    with pytest.raises(RuntimeError, match=r"you forgot to call `super\(\).__init__\(\)`"):
        Careless()(ROWS)


# Copies ------------------------------------------------------------------------------------------


def test_a_clone_has_the_same_layers_and_new_weights() -> None:
    model = chain()
    model.compile("adam", "mse", metrics=["mae"])
    clone = clone_model(model)
    assert [a.get_config() for a in clone.layers] == [a.get_config() for a in model.layers]
    assert not np.array_equal(clone.get_weights()[0], model.get_weights()[0])
    assert clone.compiled and clone.name == model.name
    clone.set_weights(model.get_weights())
    np.testing.assert_array_equal(predicted(clone), predicted(model))


def test_a_clone_of_a_graph_makes_the_same_calls() -> None:
    a, b = layers.Input((3,), name="a"), layers.Input((3,), name="b")
    shared = layers.Dense(3, name="shared")
    x = ops.relu(shared(a)) * 2.0 + shared(b)[:, :1]
    model = Model({"a": a, "b": b}, {"y": layers.Dense(1, name="y")(x), "x": x}, name="graph")
    clone = clone_model(model)
    assert [op.name for op in clone._graph.operations] == [
        op.name for op in model._graph.operations
    ]
    assert clone.get_layer("shared") is not shared
    clone.set_weights(model.get_weights())
    data = {"a": ROWS, "b": ROWS[::-1]}
    for name, value in predicted(model, data).items():
        np.testing.assert_array_equal(predicted(clone, data)[name], value)


def test_functions_say_what_a_clone_is_made_of() -> None:
    x = layers.Input((3,))
    inner = Sequential([layers.Input((3,)), layers.Dense(4)], name="inner")
    model = Model(x, layers.Dense(2)(inner(x)))

    def wider(layer: Any) -> Any:
        config = layer.get_config()
        if isinstance(layer, layers.Dense) and layer.units == 4:
            config["units"] = 6
        return type(layer).from_config(config)

    def noisy(layer: Any, *args: Any, **kwargs: Any) -> Any:
        y = layer(*args, **kwargs)
        return layers.Dropout(0.5)(y) if isinstance(layer, layers.Dense) else y

    assert clone_model(model, clone_function=wider).layers[1].layers[0].units == 4
    deep = clone_model(model, clone_function=wider, recursive=True)
    assert deep.layers[1].layers[0].units == 6 and deep.layers[2].weights[0].shape == (6, 2)
    kinds = [type(layer).__name__ for layer in clone_model(model, call_function=noisy).layers]
    assert kinds == ["InputLayer", "Sequential", "Dense", "Dropout"]
    with pytest.raises(
        ValueError, match="`call_function` argument is not supported with Sequential"
    ):
        clone_model(inner, call_function=noisy)


def test_a_clone_can_begin_at_tensors_of_ones_own() -> None:
    x = layers.Input((3,), batch_size=5, name="mine")
    clone = clone_model(chain(), input_tensors=x)
    assert clone.input_shape == (5, 3)
    a = layers.Input((3,), name="a")
    graph = Model(a, layers.Dense(1)(a))
    assert clone_model(graph, input_tensors=x).input is x
    with pytest.raises(ValueError, match="must have the same structure as model.input"):
        clone_model(graph, input_tensors=[x, x])


def test_a_model_of_ones_own_is_cloned_by_its_config() -> None:
    model = Net(5)
    assert clone_model(model).first.units == 5
    with pytest.raises(ValueError, match="only supported for Sequential models or Functional"):
        clone_model(model, clone_function=lambda layer: layer)
