"""Studies from Python: the same as from Rust, on arrays, with what goes wrong."""

from __future__ import annotations

import json

import numpy as np
import pytest

import oxhorn as keras
from oxhorn import study


def network(
    *drop: keras.layers.Layer, loss: str = "sparse_categorical_crossentropy"
) -> keras.Model:
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, activation="relu"), *drop])
    model.add(keras.layers.Dense(3, activation="softmax"))
    model.compile("adam", loss, metrics=["accuracy"])
    return model


def blobs(rows: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Points around one centre for each of three classes."""
    random = np.random.default_rng(7)
    y = random.integers(3, size=rows)
    return (random.normal(size=(rows, 4)) + y[:, None]).astype("float32"), y


def small(**settings: object) -> study.Study:
    variants = {"plain": network(), "dropped": network(keras.layers.Dropout(0.5))}
    settings = {"seeds": 4, "epochs": 3, "train": 40, "verbose": 0, **settings}
    return study.compare(variants, blobs(), **settings)


def without_times(made: study.Study) -> list[dict]:
    return [{key: run[key] for key in ("variant", "seed", "outcome")} for run in made.runs]


def test_a_study_compares_every_variant_with_the_first_at_the_same_seeds() -> None:
    made = small()
    assert made.variants == ["plain", "dropped"]
    assert [run["seed"] for run in made.runs] == [0, 0, 1, 1, 2, 2, 3, 3]
    it = made.comparison("dropped")
    assert (it.measure, it.seeds) == ("val_loss", 4)
    assert it.interval[0] < it.difference < it.interval[1]
    assert it.difference == pytest.approx(it.mean - it.baseline)
    losses = made.curves("dropped", "val_loss")
    assert losses.shape == (4, 3)
    assert it.mean == pytest.approx(losses[:, -1].mean())
    assert made.title in str(made) and made.verdict in str(made)


def test_numbers_are_the_same_again_and_for_any_number_of_workers() -> None:
    once = small(workers=1)
    assert without_times(small(workers=2)) == without_times(once)


def test_a_run_is_what_fit_gives_at_that_seed() -> None:
    # What is drawn depends on names of layers, so the weights are handed over, not the seed.
    x, y = blobs()
    made = study.compare(
        {"a": network(), "b": network()},
        (x[:40], y[:40]),
        3,
        epochs=2,
        verbose=0,
        validation_data=(x[40:], y[40:]),
    )
    assert made.comparison("b").difference == 0.0
    assert made.comparison("b").finding == "no_difference"


def test_targets_may_be_numbers_of_classes_one_hot_or_values() -> None:
    x, y = blobs()
    one_hot = keras.utils.to_categorical(y, 3)
    variants = {"a": network(loss="categorical_crossentropy")}
    variants["b"] = network(keras.layers.Dropout(0.5), loss="categorical_crossentropy")
    made = study.compare(variants, (x, one_hot), 3, epochs=2, train=0.5, verbose=0)
    assert "val_ece" in made.runs[0]["outcome"]["finished"]["measures"]
    for model in variants.values():
        model.compile("adam", "mse")
    made = study.compare(variants, (x, one_hot), 3, epochs=2, train=0.5, verbose=0)
    assert made.primary == "val_loss"
    assert "val_ece" not in made.runs[0]["outcome"]["finished"]["measures"]


def test_a_report_is_saved_and_replayed_and_an_edited_one_is_not(tmp_path) -> None:
    made, report = small(), tmp_path / "report.html"
    made.save(report)
    x, y = blobs()
    assert study.replay(report, (x, y), verbose=0) == []
    edited = report.read_text().replace("dropped", "dropt", 1)
    report.write_text(edited)
    assert study.replay(report, (x, y), verbose=0) != []
    made.save(report)
    with pytest.raises(ValueError):
        study.replay(report, (x + 1, y), verbose=0)
    files = made.save_figures(tmp_path / "figures")
    assert files and all(file.stat().st_size > 500 for file in files)
    assert study.Study(json.loads(json.dumps(made.to_dict()))).verdict == made.verdict


def test_a_rate_is_tuned_and_confirmed() -> None:
    model = network(keras.layers.Dropout(0.3))
    found = study.tune_rate(
        model, blobs(), [0.0, 0.5], seeds=3, epochs=2, search_seeds=1, train=40, verbose=0
    )
    assert list(found.rates) == [f"{model.layers[1].name}/rate"]
    assert set(found.rates.values()) <= {0.0, 0.5}
    assert found.ladder[0]["epochs"] <= 2
    assert isinstance(found.study, study.Study)


def test_each_regularizer_is_left_out_in_turn() -> None:
    model = network(keras.layers.Dropout(0.3), keras.layers.GaussianNoise(0.1))
    found = study.ablate(model, blobs(), 3, epochs=2, train=40, verbose=0)
    assert len(found.parts) == 2 and len(found.study.variants) == 3
    assert str(found).count("\n") == 1


def test_a_history_is_diagnosed() -> None:
    x, y = blobs()
    history = network(keras.layers.Dropout(0.5)).fit(
        x, y, epochs=3, validation_split=0.3, verbose=0, clean_train_eval=True
    )
    found = study.diagnose(history, validation_samples=18, classes=3)
    assert found.diagnosis in (
        "overfitting underfitting validation_too_small noise diverging healthy".split()
    )
    assert found.evidence and found.next_step
    falling = {"loss": [1.0, 0.5, 0.2, 0.1, 0.05] * 4, "val_loss": [1.0, float("nan")] * 10}
    assert study.diagnose(falling).diagnosis == "diverging"


def test_what_cannot_be_studied_is_refused() -> None:
    x, y = blobs()
    inputs = keras.Input((4,))
    functional = keras.Model(inputs, keras.layers.Dense(3)(inputs))
    functional.compile("adam", "mse")
    with pytest.raises(TypeError, match="`Sequential` models"):
        study.compare({"a": functional}, (x, y), epochs=1)
    with pytest.raises(ValueError, match="must call `compile\\(\\)`"):
        study.compare({"a": keras.Sequential([keras.layers.Dense(1)])}, (x, y), epochs=1)
    with pytest.raises(ValueError, match="whole numbers"):
        study.compare({"a": network()}, (x, y + 0.5), epochs=1)
    with pytest.raises(ValueError, match="share `train`"):
        study.compare({"a": network()}, (x, y), epochs=1, train=1.5)
    with pytest.raises(ValueError, match="`data` must be"):
        study.compare({"a": network()}, "letters", epochs=1)


def test_an_interrupted_study_ends(monkeypatch) -> None:
    class Enough(Exception):
        pass

    def watch(verbose: object) -> object:
        def stop(*progress: object) -> None:
            raise Enough

        return stop

    monkeypatch.setattr(study, "_watch", watch)
    with pytest.raises(Enough):
        small()
