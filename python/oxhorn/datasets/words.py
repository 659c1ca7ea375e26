"""What IMDB and Reuters share: texts as lists of numbers, one for each word, by frequency."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from oxhorn.datasets.archives import ORIGIN
from oxhorn.utils.files import get_file

Texts = list[list[int]]


def with_start(texts: Any, start_char: int | None, index_from: int) -> Texts:
    """Texts whose words are numbered from `index_from` on, after a mark of their beginning."""
    start = [] if start_char is None else [start_char]
    return [start + [word + index_from for word in text] for text in texts]


def shorter_than(maxlen: int, texts: Texts, labels: Any) -> tuple[Texts, list[Any]]:
    """The texts of fewer than `maxlen` words, and their labels."""
    kept = [index for index, text in enumerate(texts) if len(text) < maxlen]
    return [texts[index] for index in kept], [labels[index] for index in kept]


def within(texts: Texts, skip_top: int, num_words: int | None, oov_char: int | None) -> Texts:
    """Texts of words from `skip_top` up to `num_words`, with `oov_char` in place of others.

    Where `oov_char` is `None`, other words are left out.
    """
    limit = num_words or max(max(text) for text in texts)
    if oov_char is None:
        return [[word for word in text if skip_top <= word < limit] for text in texts]
    return [[w if skip_top <= w < limit else oov_char for w in text] for text in texts]


def as_array(texts: Texts) -> np.ndarray:
    """An array of lists; of numbers if all texts are of the same length."""
    return np.array(texts, dtype="object")


def word_index(path: str, name: str, file_hash: str) -> dict[str, int]:
    """The numbers of words, from 1 for the most frequent one."""
    with open(get_file(path, origin=ORIGIN + name, file_hash=file_hash)) as file:
        return json.load(file)
