"""Reuters: 11,228 news of 1987, in 46 topics."""

from __future__ import annotations

import numpy as np

from oxhorn.datasets import words
from oxhorn.datasets.archives import ORIGIN, load_arrays
from oxhorn.datasets.shuffling import Split, shuffled
from oxhorn.utils.files import get_file

TOPICS = """cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade
reserves ship cotton carcass crude nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold
tin strategic-metal livestock retail ipi iron-steel rubber heat jobs lei bop zinc orange pet-chem
dlr gas silver wpi hog lead"""


def load_data(
    path: str = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int = 3,
) -> Split:
    """Returns `(x_train, y_train), (x_test, y_test)`: lists of words, and topics.

    Args:
        path: the file's name in the cache.
        num_words: the number from which on words are too rare to be kept.
        skip_top: the number below which words are too frequent to be kept.
        maxlen: news of that many words or more are left out.
        test_split: share of the news that is kept for testing.
        seed: seed of the shuffling before the split.
        start_char: what marks the beginning of a text, `None` for nothing.
        oov_char: what stands for words that are not kept, `None` to leave them out.
        index_from: what is added to the numbers of words.
    """
    path = get_file(
        fname=path,
        origin=f"{ORIGIN}reuters.npz",
        file_hash="d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916",
    )
    arrays = load_arrays(path)
    x, y = shuffled(np.random.RandomState(seed), arrays["x"], arrays["y"])
    texts = words.with_start(x, start_char, index_from)
    if maxlen:
        texts, y = words.shorter_than(maxlen, texts, y)
    texts = words.within(texts, skip_top, num_words, oov_char)
    count = int(len(texts) * (1 - test_split))
    train = words.as_array(texts[:count]), np.array(y[:count])
    return train, (words.as_array(texts[count:]), np.array(y[count:]))


def get_word_index(path: str = "reuters_word_index.json") -> dict[str, int]:
    """The numbers of words, to which `load_data` adds `index_from`."""
    return words.word_index(path, "reuters_word_index.json", "4d44cc38712099c9e383dc6e5f11a921")


def get_label_names() -> tuple[str, ...]:
    """The names of the topics, in the order of their numbers."""
    return tuple(TOPICS.split())
