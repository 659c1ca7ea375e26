"""Utilities where Oxhorn says more than Keras, or where Keras needs another framework to run."""

from __future__ import annotations

import hashlib
import logging
import random

import numpy as np
import pytest

from oxhorn import _session, utils
from oxhorn.utils.samples import Samples


def test_normalize_along_the_first_axis_divides_columns() -> None:
    x = np.array([[3.0, 0.0, 1.0], [4.0, 0.0, 1.0]])
    expected = [[0.6, 0.0, 0.5**0.5], [0.8, 0.0, 0.5**0.5]]
    np.testing.assert_allclose(utils.normalize(x, axis=0), expected)


def test_set_random_seed_tells_whoever_listens() -> None:
    heard = []
    _session.on_seed(heard.append)
    utils.set_random_seed(7)
    assert heard == [7]
    assert _session.seed() == 7


def test_clear_session_tells_whoever_listens() -> None:
    heard = []
    _session.on_clear(lambda: heard.append("clear"))
    utils.clear_session(free_memory=False)
    assert heard == ["clear"]


def test_tensors_of_inputs_are_told_from_arrays(monkeypatch) -> None:
    import oxhorn

    monkeypatch.setattr(oxhorn, "KerasTensor", dict, raising=False)
    assert utils.is_keras_tensor({}) is True
    assert utils.is_keras_tensor(np.zeros(3)) is False


def test_messages_are_logged_while_interactive_logging_is_off(capsys, caplog) -> None:
    utils.disable_interactive_logging()
    try:
        with caplog.at_level(logging.INFO, logger="oxhorn"):
            utils.Progbar(3).update(3)
    finally:
        utils.enable_interactive_logging()
    assert capsys.readouterr().out == ""
    assert "3/3" in caplog.text


def test_terminals_without_unicode_get_a_plain_bar(monkeypatch) -> None:
    class Terminal:
        encoding = "ascii"
        shown = ""

        def write(self, text):
            text.encode("ascii")
            self.shown += text

        def flush(self):
            pass

    terminal = Terminal()
    monkeypatch.setattr("sys.stdout", terminal)
    utils.Progbar(4, width=4).update(4)
    assert "====" in terminal.shown


# split_dataset


def test_split_keeps_the_beginning_left_and_the_end_right() -> None:
    left, right = utils.split_dataset(np.arange(10), left_size=0.6)
    assert list(left) == [0, 1, 2, 3, 4, 5]
    assert list(right) == [6, 7, 8, 9]
    left, right = utils.split_dataset(np.arange(10), left_size=2, right_size=3)
    assert (list(left), list(right)) == ([0, 1], [7, 8, 9])
    left, right = utils.split_dataset(np.arange(7), right_size=0.5)
    assert (len(left), len(right)) == (3, 4)


@pytest.mark.parametrize("kind", [list, tuple, lambda arrays: dict(zip("ab", arrays, strict=True))])
def test_split_takes_several_arrays(kind) -> None:
    data = kind([np.arange(6).reshape(3, 2), np.array([7, 8, 9])])
    left, right = utils.split_dataset(data, left_size=1)
    first, second = (right.arrays[k] for k in ("ab" if isinstance(data, dict) else (0, 1)))
    assert first.tolist() == [[2, 3], [4, 5]]
    assert second.tolist() == [8, 9]
    assert len(left) == 1


def test_split_takes_generators_of_samples() -> None:
    samples = (({"a": np.full(2, i)}, i % 2) for i in range(5))
    left, right = utils.split_dataset(samples, right_size=2)
    assert left.arrays[0]["a"].tolist() == [[0, 0], [1, 1], [2, 2]]
    assert right.arrays[1].tolist() == [1, 0]
    assert right[1][0]["a"].tolist() == [4, 4]


def test_split_takes_what_was_split() -> None:
    left, _ = utils.split_dataset(np.arange(10), 0.5)
    assert [list(part) for part in utils.split_dataset(left, 2)] == [[0, 1], [2, 3, 4]]


def test_split_shuffles_by_seed_as_python_does() -> None:
    order = list(range(11))
    random.Random(3).shuffle(order)
    left, right = utils.split_dataset(np.arange(11), 4, shuffle=True, seed=3)
    assert [*left, *right] == order


def test_split_without_seed_follows_the_global_one() -> None:
    parts = []
    for _ in range(2):
        utils.set_random_seed(5)
        parts.append(list(utils.split_dataset(np.arange(100), 0.5, shuffle=True)[0]))
    assert parts[0] == parts[1] != list(range(50))


def test_split_refuses_more_than_there_is() -> None:
    with pytest.raises(ValueError, match=r"left_size \+ right_size = 12 and total_length = 10"):
        utils.split_dataset(np.zeros(10), 6, 6)


def test_split_refuses_batches_and_backends() -> None:
    with pytest.raises(TypeError, match="Unsupported dataset type"):
        utils.split_dataset(Samples(np.zeros(4)).batch(2), 0.5)
    with pytest.raises(NotImplementedError, match="preferred_backend=torch"):
        utils.split_dataset(np.zeros(4), 0.5, preferred_backend="torch")
    with pytest.raises(ValueError, match="empty dataset"):
        utils.split_dataset((x for x in ()), 0.5)


@pytest.mark.parametrize(
    ("count", "size", "whole", "all_"), [(7, 3, 2, 3), (6, 3, 2, 2), (1, 5, 0, 1)]
)
def test_batches_hold_every_sample_once(count, size, whole, all_) -> None:
    samples = Samples((np.arange(count), -np.arange(count)))
    batches = samples.batch(size)
    assert isinstance(batches, utils.PyDataset)
    assert (len(batches), len(samples.batch(size, drop_remainder=True))) == (all_, whole)
    assert np.concatenate([x for x, _ in batches]).tolist() == list(range(count))
    with pytest.raises(IndexError):
        batches[all_]


# timeseries_dataset_from_array


def test_windows_begin_at_every_stride_and_sample_at_a_rate() -> None:
    # The example of Keras' manual.
    data = np.arange(100)
    windows = utils.timeseries_dataset_from_array(
        data, None, sequence_length=10, sequence_stride=3, sampling_rate=2
    )
    (batch,) = list(windows)
    assert batch[0].tolist() == [0, 2, 4, 6, 8, 10, 12, 14, 16, 18]
    assert batch[1].tolist() == [3, 5, 7, 9, 11, 13, 15, 17, 19, 21]
    # The last window that begins at a multiple of 3 and still ends within the series.
    assert batch[-1].tolist() == [81, 83, 85, 87, 89, 91, 93, 95, 97, 99]
    assert batch.shape == (28, 10)


def test_windows_come_with_the_target_of_their_first_step() -> None:
    data = np.arange(30).reshape(15, 2)
    windows = utils.timeseries_dataset_from_array(data, np.arange(100, 112), 4, batch_size=5)
    batches = list(windows)
    assert [len(x) for x, _ in batches] == [5, 5, 2]
    for x, y in batches:
        assert x.shape[1:] == (4, 2)
        assert (x[:, 0, 0] // 2 + 100).tolist() == y.tolist()
    assert windows.num_batches == 3


def test_windows_stay_between_start_and_end() -> None:
    data = np.arange(20)
    windows = utils.timeseries_dataset_from_array(data, data, 3, start_index=5, end_index=11)
    ((x, y),) = list(windows)
    assert x.tolist() == [[5, 6, 7], [6, 7, 8], [7, 8, 9], [8, 9, 10]]
    assert y.tolist() == [5, 6, 7, 8]


def test_windows_may_come_one_by_one() -> None:
    windows = utils.timeseries_dataset_from_array(np.arange(5), None, 2, batch_size=None)
    assert [w.tolist() for w in windows] == [[0, 1], [1, 2], [2, 3], [3, 4]]


def test_windows_longer_than_the_series_are_none() -> None:
    assert list(utils.timeseries_dataset_from_array(np.arange(5), None, 9)) == []


def test_windows_are_shuffled_anew_for_every_epoch() -> None:
    settings = {"sequence_length": 1, "shuffle": True, "seed": 1}
    windows, again = (
        utils.timeseries_dataset_from_array(np.arange(60), None, **settings) for _ in range(2)
    )
    (first,) = list(windows)
    assert first.tolist() == list(again)[0].tolist()
    windows.on_epoch_end()
    (second,) = list(windows)
    assert first.tolist() != second.tolist()
    assert sorted(first.tolist()) == sorted(second.tolist()) == [[i] for i in range(60)]


def test_windows_of_other_frameworks_are_refused() -> None:
    with pytest.raises(NotImplementedError, match="format=grain"):
        utils.timeseries_dataset_from_array(np.arange(5), None, 2, format="grain")


# get_file


def test_a_file_that_cannot_be_downloaded_is_named_with_its_folder(tmp_path) -> None:
    origin = f"file://{tmp_path}/nowhere/mnist.npz"
    with pytest.raises(OSError, match="URL fetch failure") as caught:
        utils.get_file(origin=origin, file_hash="ab" * 32, cache_dir=tmp_path)
    text = str(caught.value)
    assert "`mnist.npz` (sha256 abab" in text
    assert f"into the folder {tmp_path}/datasets" in text
    assert list((tmp_path / "datasets").iterdir()) == []


def test_a_data_set_that_cannot_be_downloaded_says_what_to_put_where(tmp_path, monkeypatch) -> None:
    from oxhorn.datasets import cifar10

    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setattr("oxhorn.datasets.cifar10.ORIGIN", f"file://{tmp_path}/nowhere/")
    with pytest.raises(
        OSError, match="cifar-10-batches-py-target_archive|cifar-10-batches"
    ) as caught:
        cifar10.load_data()
    assert "sha256 6d958be0745" in str(caught.value)
    assert f"{tmp_path}/datasets" in str(caught.value)


@pytest.mark.parametrize("algorithm", ["md5", "sha256", "auto"])
def test_a_file_with_the_right_checksum_is_not_downloaded(tmp_path, algorithm) -> None:
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "a.bin").write_bytes(b"here")
    hasher = hashlib.md5 if algorithm == "md5" else hashlib.sha256
    path = utils.get_file(
        "a.bin",
        "file:///nowhere",
        file_hash=hasher(b"here").hexdigest(),
        hash_algorithm=algorithm,
        cache_dir=tmp_path,
    )
    assert open(path, "rb").read() == b"here"


def test_a_file_is_downloaded_again_on_demand(tmp_path) -> None:
    (tmp_path / "web.txt").write_text("one")

    def fetch(**settings):
        return utils.get_file("a", f"file://{tmp_path}/web.txt", cache_dir=tmp_path, **settings)

    fetch()
    (tmp_path / "web.txt").write_text("two")
    assert open(fetch()).read() == "one"
    assert open(fetch(force_download=True)).read() == "two"


def test_other_archive_formats_are_refused_by_name(tmp_path) -> None:
    (tmp_path / "web.txt").write_text("one")
    with pytest.raises(NotImplementedError, match="archive_format=rar"):
        utils.get_file(
            "a",
            f"file://{tmp_path}/web.txt",
            cache_dir=tmp_path,
            extract=True,
            archive_format="rar",
        )


def test_a_cache_that_is_not_there_is_made(tmp_path) -> None:
    (tmp_path / "web.txt").write_text("one")
    path = utils.get_file("a", f"file://{tmp_path}/web.txt", cache_dir=tmp_path / "new" / "er")
    assert path == str(tmp_path / "new" / "er" / "datasets" / "a")


# config


def test_settings_that_oxhorn_lacks_are_refused_by_name() -> None:
    from oxhorn import config

    with pytest.raises(NotImplementedError, match="floatx=float64"):
        config.set_floatx("float64")
    with pytest.raises(ValueError, match="Unknown `floatx` value: int8"):
        config.set_floatx("int8")
    with pytest.raises(ValueError, match="backend=jax"):
        config.set_backend("jax")
    with pytest.raises(NotImplementedError, match="mixed_float16"):
        config.set_dtype_policy("mixed_float16")
    with pytest.raises(NotImplementedError, match="flash attention"):
        config.enable_flash_attention()
    config.set_backend(config.backend())
    config.disable_flash_attention()
    assert config.is_flash_attention_enabled() is False


def test_folders_of_downloads_follow_the_environment(monkeypatch, tmp_path) -> None:
    from oxhorn import config

    monkeypatch.setenv("KERAS_HOME", "/elsewhere")
    assert config.keras_home() == "/elsewhere"
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert config.keras_home() == str(tmp_path / ".keras")
