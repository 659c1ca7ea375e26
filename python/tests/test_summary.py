"""`model.summary()` where recordings of Keras cannot tell: colours, sizes, and who prints."""

from __future__ import annotations

import io
import logging
import re
import sys

import numpy as np
import pytest

import oxhorn as keras
from oxhorn import layers
from oxhorn.models import Sequential
from oxhorn.utils.summary import readable
from oxhorn.utils.text_table import Column, Table, written


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def model() -> Sequential:
    keras.utils.clear_session()
    return Sequential([layers.Input((3,)), layers.Dense(2), layers.Dropout(0.5)])


def shown(model: Sequential, stream: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setattr(sys, "stdout", stream)
    model.summary()
    return stream.getvalue()


def test_terminals_show_colours_and_nothing_else_does(
    model: Sequential, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("NO_COLOR", raising=False)
    coloured = shown(model, Terminal(), monkeypatch)
    plain = shown(model, io.StringIO(), monkeypatch)
    assert "\x1b" not in plain
    assert re.sub("\x1b\\[[0-9;]*m", "", coloured) == plain
    assert '\x1b[1mModel: "sequential"\x1b[0m' in coloured
    assert "dense (\x1b[38;5;33mDense\x1b[0m)" in coloured
    assert "(\x1b[38;5;45mNone\x1b[0m, \x1b[38;5;34m2\x1b[0m)" in coloured


def test_people_who_want_no_colours_get_none(
    model: Sequential, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b" not in shown(model, Terminal(), monkeypatch)
    monkeypatch.delenv("NO_COLOR")
    monkeypatch.delenv("COLORTERM", raising=False)
    monkeypatch.setenv("TERM", "dumb")
    assert "\x1b" not in shown(model, Terminal(), monkeypatch)


def test_a_log_takes_the_table_where_interactive_logging_is_off(
    model: Sequential, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    keras.config.disable_interactive_logging()
    try:
        with caplog.at_level(logging.INFO, logger="oxhorn"):
            model.summary()
    finally:
        keras.config.enable_interactive_logging()
    assert 'Model: "sequential"' in caplog.text
    assert capsys.readouterr().out == ""


def test_the_optimizer_counts_its_steps_its_rate_and_two_means_of_each_weight(
    model: Sequential,
) -> None:
    model.compile("adam", "mse")
    model.fit(np.zeros((4, 3)), np.zeros((4, 2)), verbose=0)
    texts: list[str] = []
    model.summary(print_fn=texts.append)
    (text,) = texts
    assert " Total params: 26 (108.00 B)\n" in text
    assert " Optimizer params: 18 (76.00 B)\n" in text


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0.00 B"),
        (1023, "1023.00 B"),
        (1024, "1.00 KB"),
        (1536 * 1024, "1.50 MB"),
        (1024**4, "1.00 TB"),
        (1024**5 * 5000, "4.88 PB"),
    ],
)
def test_sizes_have_the_unit_that_suits_them(size: int, text: str) -> None:
    assert readable(size) == text


def test_east_asian_characters_take_two_columns() -> None:
    table = Table([Column("a", "left", 5), Column("b", "right", 5)], 17)
    table.rows.append([[("日本語の", "")], [("日", "")]])
    lines = [written(line, "plain") for line in table.lines()]
    assert lines == [
        "┏━━━━━━━┳━━━━━━━┓",
        "┃ a     ┃     b ┃",
        "┡━━━━━━━╇━━━━━━━┩",
        "│ 日本… │    日 │",
        "└───────┴───────┘",
    ]
