"""IMDB: 50,000 reviews of films, and whether they are favourable."""

from __future__ import annotations

from typing import Any

import numpy as np

from oxhorn.datasets import words
from oxhorn.datasets.archives import ORIGIN, load_arrays
from oxhorn.datasets.shuffling import Split, shuffled
from oxhorn.utils.files import get_file


def load_data(
    path: str = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
    **kwargs: Any,
) -> Split:
    """Returns `(x_train, y_train), (x_test, y_test)`: lists of words, and 1 for favourable.

    Args:
        path: the file's name in the cache.
        num_words: the number from which on words are too rare to be kept.
        skip_top: the number below which words are too frequent to be kept.
        maxlen: reviews of that many words or more are left out.
        seed: seed of the shuffling.
        start_char: what marks the beginning of a review, `None` for nothing.
        oov_char: what stands for words that are not kept, `None` to leave them out.
        index_from: what is added to the numbers of words.
    """
    if kwargs:
        raise TypeError(f"imdb.load_data() received unknown arguments: {sorted(kwargs)}")
    path = get_file(
        fname=path,
        origin=f"{ORIGIN}imdb.npz",
        file_hash="69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f",
    )
    arrays = load_arrays(path)
    generator = np.random.RandomState(seed)
    x_train, y_train = shuffled(generator, arrays["x_train"], arrays["y_train"])
    x_test, y_test = shuffled(generator, arrays["x_test"], arrays["y_test"])
    x_train = words.with_start(x_train, start_char, index_from)
    x_test = words.with_start(x_test, start_char, index_from)
    if maxlen:
        x_train, y_train = words.shorter_than(maxlen, x_train, y_train)
        x_test, y_test = words.shorter_than(maxlen, x_test, y_test)
        if not x_train or not x_test:
            raise ValueError(
                f"After filtering for sequences shorter than maxlen={maxlen}, no sequence was "
                "kept. Increase maxlen."
            )
    # The limit of words, where none is given, is that of both parts together.
    texts = words.within(x_train + x_test, skip_top, num_words, oov_char)
    labels = np.concatenate([y_train, y_test])
    count = len(x_train)
    train = words.as_array(texts[:count]), labels[:count]
    return train, (words.as_array(texts[count:]), labels[count:])


def get_word_index(path: str = "imdb_word_index.json") -> dict[str, int]:
    """The numbers of words, to which `load_data` adds `index_from`."""
    return words.word_index(path, "imdb_word_index.json", "bfafd718b763782e994055a2d397834f")
