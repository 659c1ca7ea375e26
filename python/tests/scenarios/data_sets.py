"""Scenarios of `datasets`: which files they ask for, and what they make of small ones."""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import pickle
import sys

import numpy as np


@contextlib.contextmanager
def _files(keras, function, answers):
    """Replaces `get_file` where `function` finds it; returns the list of what it was asked."""
    get_file = keras.utils.get_file
    asked = []

    def found(fname=None, origin=None, **settings):
        asked.append((fname, origin, sorted(settings.items())))
        return answers(fname)

    holders = [
        m
        for n, m in sys.modules.items()
        if m and n.startswith(function.__module__.split(".")[0] + ".")
    ]
    holders = [
        m for m in holders if vars(m).get("get_file") is get_file and "datasets" in m.__name__
    ]
    for module in holders:
        module.get_file = found
    try:
        yield asked
    finally:
        for module in holders:
            module.get_file = get_file


def _told(arrays):
    if isinstance(arrays, tuple):
        return tuple(_told(a) for a in arrays)
    return str(arrays.dtype), arrays.shape, [str(v) for v in arrays.tolist()]


def _load(keras, name, content, *settings):
    load = getattr(keras.datasets, name).load_data
    np.savez("file.npz", **content)
    results = []
    with _files(keras, load, lambda fname: "file.npz") as asked:
        for s in settings or ({},):
            try:
                results.append(_told(load(**s)))
            except ValueError as error:
                results.append(f"ValueError: {error}")
    return results, asked


def mnist_is_an_archive(keras):
    content = {
        f"{k}_{p}": np.arange(n)
        for n, (k, p) in enumerate([("x", "train"), ("y", "train"), ("x", "test"), ("y", "test")])
    }
    return _load(keras, "mnist", content, {}, {"path": "mine.npz"})


def housing_is_shuffled_and_split(keras):
    content = {"x": np.arange(22.0).reshape(11, 2), "y": np.arange(11)}
    settings = {}, {"test_split": 0, "seed": 7}, {"test_split": 0.35}, {"test_split": 1}
    boston = _load(keras, "boston_housing", content, *settings)
    return boston, _load(keras, "california_housing", content, *settings)


def california_housing_has_two_versions(keras):
    content = {"x": np.arange(700.0).reshape(700, 1), "y": np.arange(700)}
    settings = {"version": "small"}, {"version": "large"}, {"version": "medium"}
    return _load(keras, "california_housing", content, *settings)[0]


TEXTS = [[5, 1, 9], [2], [7, 7, 7, 7, 3], [1, 2], [8, 4, 1, 1], [6, 2, 30]]
VOCABULARY = [
    *({}, {"num_words": 8}, {"skip_top": 5, "num_words": 11}, {"maxlen": 4}, {"seed": 3}),
    *(
        {"start_char": None},
        {"start_char": None, "index_from": 0},
        {"oov_char": None, "skip_top": 6},
    ),
    *({"index_from": 0, "start_char": 0, "num_words": 5}, {"maxlen": 5, "oov_char": None}),
]


def _texts(texts):
    array = np.empty(len(texts), dtype=object)
    array[:] = texts
    return array


def imdb_is_made_of_words(keras):
    content = {"x_train": _texts(TEXTS), "y_train": np.arange(6)}
    content |= {"x_test": _texts(TEXTS[1:4]), "y_test": np.arange(3)}
    return _load(keras, "imdb", content, *VOCABULARY, {"maxlen": 2})


def reuters_is_made_of_words(keras):
    content = {"x": _texts(TEXTS), "y": np.arange(6)}
    return _load(keras, "reuters", content, *VOCABULARY, {"test_split": 0.5})


def reuters_names_its_topics(keras):
    return keras.datasets.reuters.get_label_names()


def words_have_an_index(keras):
    with open("index.json", "w") as file:
        json.dump({"the": 1}, file)
    results = []
    for module in (keras.datasets.imdb, keras.datasets.reuters):
        module.load_data  # noqa: B018
        with _files(keras, module.get_word_index, lambda fname: "index.json") as asked:
            results.append(
                (module.get_word_index(), module.get_word_index("mine"), [a[:2] for a in asked])
            )
    return results


def files_with_other_pickles_are_refused(keras):
    texts = _texts([[1], print])
    try:
        _load(keras, "reuters", {"x": texts, "y": np.arange(2)})
    except pickle.UnpicklingError as error:
        return str(error).replace("`builtins.print`", "PRINT")


def fashion_mnist_is_four_files(keras):
    def write(fname):
        images = "images" in fname
        count = 2 if "train" in fname else 1
        content = (
            bytes(16) + bytes(i % 251 for i in range(784 * count))
            if images
            else bytes(8) + bytes(range(count))
        )
        with gzip.open(fname, "wb") as file:
            file.write(content)
        return fname

    load = keras.datasets.fashion_mnist.load_data
    with _files(keras, load, write) as asked:
        (x, y), (x_test, y_test) = load()
    return x.shape, x.dtype.name, int(x.sum()), y.tolist(), x_test.shape, y_test.tolist(), asked


def _cifar_batch(path, count, **labels):
    data = (np.arange(count * 3072) % 253).astype("uint8").reshape(count, 3072)
    batch = {b"data": data, **{key.encode(): value for key, value in labels.items()}}
    with open(path, "wb") as file:
        pickle.dump(batch, file, protocol=2)


def _described(result):
    return [
        (a.shape, a.dtype.name, int(a.sum()), int(a[0].ravel()[1:9].sum()))
        for pair in result
        for a in pair
    ]


def cifar100_has_two_sets_of_labels(keras):
    os.makedirs("cifar/cifar-100-python")
    for name, count in (("train", 3), ("test", 2)):
        fine, coarse = list(range(9, 9 + count)), list(range(count))
        _cifar_batch(
            f"cifar/cifar-100-python/{name}", count, fine_labels=fine, coarse_labels=coarse
        )
    load = keras.datasets.cifar100.load_data
    with _files(keras, load, lambda fname: "cifar") as asked:
        results = [_described(load()), _described(load("coarse"))]
        keras.config.set_image_data_format("channels_first")
        results.append(_described(load()))
        keras.config.set_image_data_format("channels_last")
    try:
        load("medium")
    except ValueError as error:
        return results, asked, str(error)


def cifar10_is_six_batches(keras):
    os.makedirs("cifar/cifar-10-batches-py")
    _cifar_batch("cifar/cifar-10-batches-py/test_batch", 10000, labels=list(range(10)) * 1000)
    for batch in range(1, 6):
        os.symlink("test_batch", f"cifar/cifar-10-batches-py/data_batch_{batch}")
    load = keras.datasets.cifar10.load_data
    with _files(keras, load, lambda fname: "cifar") as asked:
        return _described(load()), asked
