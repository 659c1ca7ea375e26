"""Training that is interrupted, wherever it is, and goes on, ends as if it had not been."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import oxhorn as keras
from oxhorn import callbacks, layers
from oxhorn.models import Sequential

EPOCHS, BATCHES = 3, 4


class Interrupt(callbacks.Callback):
    """What happens to the process after so many batches of all."""

    def __init__(self, after: int) -> None:
        super().__init__()
        self.left = after

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.left -= 1
        if self.left == 0:
            raise KeyboardInterrupt


class Counter(callbacks.Callback):
    """A callback of one's own that remembers what it has seen."""

    def __init__(self) -> None:
        super().__init__()
        self.batches = 0
        self.losses: dict[int, list[float]] = {}
        self.last = np.zeros(2, "float32")

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.batches += 1
        self.losses.setdefault(batch, []).append(logs["loss"])
        self.last = np.array([batch, logs["loss"]], "float32")


OPTIMIZERS = {
    "adam": lambda: keras.optimizers.Adam(0.01),
    "sgd": lambda: keras.optimizers.SGD(0.05, momentum=0.9),
    "schedule": lambda: keras.optimizers.RMSprop(
        keras.optimizers.schedules.ExponentialDecay(0.01, 3, 0.5)
    ),
    "ema": lambda: keras.optimizers.AdamW(0.01, use_ema=True, gradient_accumulation_steps=3),
    "scaled": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam(0.01)),
}


def trained(*given: Any, optimizer: Any = OPTIMIZERS["adam"], seed: int = 7, **more: Any) -> Any:
    """A model after training, the history of it, and a number drawn after it."""
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(53, 3)).astype("float32")
    y = (x @ np.array([[1.0], [2.0], [-1.0]])).astype("float32")
    model = Sequential(
        [
            *(layers.Input((3,)), layers.Dense(8, activation="relu"), layers.Dropout(0.3)),
            *(layers.BatchNormalization(), layers.GaussianNoise(0.1), layers.Dense(1)),
        ]
    )
    model.compile(optimizer(), "mse", metrics=["mae"], allow="all")
    settings = {"epochs": EPOCHS, "verbose": 0, "validation_split": 0.2, "batch_size": 11, **more}
    history = model.fit(x, y, callbacks=list(given), **settings).history
    return model, history, np.random.rand()


def state(model: Any) -> list[np.ndarray]:
    """All that a model and its optimizer have."""
    variables = [*model.variables, *model.optimizer.variables]
    return [np.asarray(variable.numpy()) for variable in variables]


def same(a: list[np.ndarray], b: list[np.ndarray]) -> bool:
    return len(a) == len(b) and all(np.array_equal(x, y) for x, y in zip(a, b))


@pytest.mark.parametrize("after", range(2, EPOCHS * BATCHES))
def test_a_run_cut_after_any_batch_ends_with_the_same_bits(tmp_path: Path, after: int) -> None:
    # The batch whose end is the cut is run again: a backup is written when all callbacks are done.
    def watched() -> list[Any]:
        stopping = callbacks.EarlyStopping("loss", min_delta=0.5, patience=9)
        table = callbacks.CSVLogger(str(tmp_path / "log.csv"))
        rates = callbacks.ReduceLROnPlateau("loss", min_delta=9.0, patience=1)
        return [Counter(), stopping, rates, table]

    expected = watched()
    whole, history, drawn = trained(*expected)
    lines = (tmp_path / "log.csv").read_text()
    kept = callbacks.BackupAndRestore(tmp_path / "backup", save_freq=1)
    with pytest.raises(KeyboardInterrupt):
        trained(*watched(), kept, Interrupt(after))
    kept = callbacks.BackupAndRestore(tmp_path / "backup", save_freq=1)
    given = watched()
    # Wherever random streams begin, they go on where they were.
    resumed, again, also_drawn = trained(*given, kept, seed=99)
    assert again == history and also_drawn == drawn
    assert same(state(resumed), state(whole))
    for one, other in zip(given, expected):
        for name in ("batches", "losses", "wait", "best", "best_epoch", "cooldown_counter"):
            assert getattr(one, name, None) == getattr(other, name, None), name
    np.testing.assert_array_equal(given[0].last, expected[0].last)
    assert (tmp_path / "log.csv").read_text() == lines
    assert not (tmp_path / "backup").exists()


@pytest.mark.parametrize("shuffle", [True, False, "batch"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=list(OPTIMIZERS))
def test_every_optimizer_goes_on(tmp_path: Path, optimizer: Any, shuffle: Any) -> None:
    settings: dict[str, Any] = {"optimizer": optimizer, "shuffle": shuffle}
    whole, history, _ = trained(**settings)
    with pytest.raises(KeyboardInterrupt):
        kept = callbacks.BackupAndRestore(tmp_path / "backup", save_freq=3)
        trained(kept, Interrupt(7), **settings)
    kept = callbacks.BackupAndRestore(tmp_path / "backup", save_freq=3)
    resumed, again, _ = trained(kept, **settings)
    assert again == history
    assert same(state(resumed), state(whole))


def test_a_backup_of_epochs_begins_with_the_epoch_that_was_cut(tmp_path: Path) -> None:
    whole, history, _ = trained()
    with pytest.raises(KeyboardInterrupt):
        trained(callbacks.BackupAndRestore(tmp_path / "b"), Interrupt(2 * BATCHES + 1))
    begun: list[int] = []
    notes = callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: begun.append(epoch))
    kept = callbacks.BackupAndRestore(tmp_path / "b", delete_checkpoint=False)
    resumed, again, _ = trained(notes, kept)
    assert begun == [2]
    assert again == history and same(state(resumed), state(whole))
    # A run that has ended has nothing left to do.
    ended, again, _ = trained(kept)
    assert again == history and same(state(ended), state(whole))


def test_steps_seen_as_one_go_on(tmp_path: Path) -> None:
    def fitted(*given: Any) -> Any:
        keras.utils.set_random_seed(3)
        model = Sequential([layers.Input((2,)), layers.Dropout(0.5), layers.Dense(1)])
        model.compile("adam", "mse", steps_per_execution=2)
        x = np.random.rand(30, 2)
        history = model.fit(x, x[:, :1], 4, 2, 0, list(given), steps_per_epoch=5).history
        return model, history

    whole, history = fitted()
    with pytest.raises(KeyboardInterrupt):
        fitted(callbacks.BackupAndRestore(tmp_path / "b", save_freq=2), Interrupt(4))
    resumed, again = fitted(callbacks.BackupAndRestore(tmp_path / "b", save_freq=2))
    assert again == history and same(state(resumed), state(whole))


class Pairs(keras.utils.PyDataset):
    """Batches by number, in an order that is drawn for every pass."""

    def __len__(self) -> int:
        return 5

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        rng = np.random.default_rng(index)
        return rng.normal(size=(4, 2)).astype("float32"), rng.normal(size=(4, 1))


def batches() -> Any:
    for index in range(1000):
        yield Pairs()[index]


@pytest.mark.parametrize("source", ["dataset", "generator"])
@pytest.mark.parametrize("after", [2, 5, 7])
def test_batches_of_a_stream_go_on(tmp_path: Path, source: str, after: int) -> None:
    def fitted(*given: Any) -> Any:
        keras.utils.set_random_seed(3)
        model = Sequential([layers.Input((2,)), layers.Dropout(0.5), layers.Dense(1)])
        model.compile("adam", "mse")
        more = {} if source == "dataset" else {"steps_per_epoch": 5}
        x = Pairs() if source == "dataset" else batches()
        history = model.fit(x, epochs=3, verbose=0, callbacks=list(given), **more).history
        return model, history

    whole, history = fitted()
    with pytest.raises(KeyboardInterrupt):
        fitted(callbacks.BackupAndRestore(tmp_path / "b", save_freq=1), Interrupt(after))
    resumed, again = fitted(callbacks.BackupAndRestore(tmp_path / "b", save_freq=1))
    assert again == history and same(state(resumed), state(whole))


def test_what_was_turned_stays_turned(tmp_path: Path) -> None:
    class Turn(callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            self.model.optimizer.learning_rate = 0.01 / (epoch + 1)
            if epoch == 0:
                self.model.layers[1].rate = 0.125

    whole, history, _ = trained(Turn())
    kept = callbacks.BackupAndRestore(tmp_path / "b", save_freq=1)
    with pytest.raises(KeyboardInterrupt):
        trained(Turn(), kept, Interrupt(BATCHES + 2))
    kept = callbacks.BackupAndRestore(tmp_path / "b", save_freq=1)
    resumed, again, _ = trained(Turn(), kept)
    assert again == history and same(state(resumed), state(whole))
    assert resumed.layers[1].rate == 0.125


def test_two_streams_of_the_same_masks_are_not_drawn_twice(tmp_path: Path) -> None:
    whole, history, _ = trained(epochs=2)
    kept = callbacks.BackupAndRestore(tmp_path / "b", delete_checkpoint=False)
    trained(kept, epochs=1)
    resumed, again, _ = trained(kept, epochs=2)
    assert again == history and same(state(resumed), state(whole))


def test_the_backup_of_another_model_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    with pytest.raises(KeyboardInterrupt):
        trained(callbacks.BackupAndRestore(folder, save_freq=1), Interrupt(3))
    sgd = OPTIMIZERS["sgd"]
    with pytest.raises(ValueError, match="the state that was kept has a variable `optimizer/layer"):
        trained(callbacks.BackupAndRestore(folder), optimizer=sgd)
    with pytest.raises(ValueError, match="had batches of 11 samples, this one has 7"):
        trained(callbacks.BackupAndRestore(folder), batch_size=7)


def test_a_damaged_backup_gives_way_to_the_one_before(tmp_path: Path) -> None:
    whole, history, _ = trained()
    kept = callbacks.BackupAndRestore(tmp_path, save_freq=1, double_checkpoint=True)
    with pytest.raises(KeyboardInterrupt):
        trained(kept, Interrupt(6))
    assert sorted(os.listdir(tmp_path)) == ["latest.safetensors", "latest.safetensors.bkp"]
    latest = tmp_path / "latest.safetensors"
    damaged = bytearray(latest.read_bytes())
    damaged[len(damaged) // 2] ^= 1
    latest.write_bytes(damaged)
    with pytest.raises(OSError, match="(?s)latest.safetensors cannot be read: .*Delete it"):
        (tmp_path / "latest.safetensors.bkp").rename(tmp_path / "away")
        trained(callbacks.BackupAndRestore(tmp_path, save_freq=1))
    (tmp_path / "away").rename(tmp_path / "latest.safetensors.bkp")
    kept = callbacks.BackupAndRestore(tmp_path, save_freq=1, double_checkpoint=True)
    resumed, again, _ = trained(kept)
    assert again == history and same(state(resumed), state(whole))


def test_a_backup_leaves_alone_what_is_not_its_own(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    trained(callbacks.BackupAndRestore(tmp_path), epochs=1)
    assert os.listdir(tmp_path) == ["mine.txt"]


# Killed ------------------------------------------------------------------------------------------

PROGRAM = """
import sys
sys.path.insert(0, sys.argv[1])
import hashlib, json, test_backups
from oxhorn import callbacks
kept = callbacks.BackupAndRestore(sys.argv[2], save_freq=1)
model, history, drawn = test_backups.trained(kept, epochs=60)
bits = b"".join(array.tobytes() for array in test_backups.state(model))
print(json.dumps([hashlib.sha256(bits).hexdigest(), history, drawn]))
"""


def start(folder: Path) -> subprocess.Popen:
    paths = os.pathsep.join(path for path in sys.path if path)
    command = [sys.executable, "-c", PROGRAM, str(Path(__file__).parent), str(folder)]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": paths}
    )


def test_a_process_that_is_killed_again_and_again_ends_with_the_same_bits(tmp_path: Path) -> None:
    expected = json.loads(start(tmp_path / "whole").communicate()[0])
    rng, kills, folder = np.random.default_rng(5), 0, tmp_path / "killed"
    backup = folder / "latest.safetensors"
    for _ in range(12):
        process = start(folder)
        seen = backup.stat().st_mtime_ns if backup.exists() else None
        # Once it has gone on a little, it is killed at some moment, be it while it writes.
        while process.poll() is None and (not backup.exists() or backup.stat().st_mtime_ns == seen):
            time.sleep(0.001)
        time.sleep(rng.uniform(0, 0.03))
        if process.poll() is None and kills < 5:
            process.send_signal(signal.SIGKILL)
            kills += process.wait() == -signal.SIGKILL
            process.stdout.close()
            continue
        output = process.communicate()[0]
        break
    assert kills >= 3, "it was too fast to be killed"
    assert json.loads(output) == expected
    assert not folder.exists() or os.listdir(folder) == []
