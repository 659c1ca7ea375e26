"""The examples run as they are, and print what they promise."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"


def lines(name: str) -> list[str]:
    """What an example prints, line by line, as a terminal shows it."""
    command = [sys.executable, "-m", "oxhorn.run", str(EXAMPLES / name)]
    # What is printed is UTF-8, whatever the language of the machine.
    environment = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(command, capture_output=True, env=environment)
    assert done.returncode == 0, done.stderr.decode()
    assert b"LintWarning" not in done.stderr
    text = re.sub(r"\x1b\[\d+m", "", done.stdout.decode())
    # A line that is drawn again stands behind a carriage return or where the cursor went back to.
    return [re.split("\r|\x08+", line)[-1] for line in text.split("\n") if line]


def test_the_tutorial_prints_ten_epochs_and_two_last_lines() -> None:
    printed = lines("tutorial.py")
    assert [line for line in printed if line.startswith("Epoch")] == [
        f"Epoch {epoch}/10" for epoch in range(1, 11)
    ]
    steps = [line for line in printed if line.startswith("38/38 ")]
    shape = (
        r"- accuracy: 0\.\d{4} - loss: \d\.\d{4} - val_accuracy: 0\.\d{4} - val_loss: \d\.\d{4}$"
    )
    assert len(steps) == 10 and all(re.search(shape, line) for line in steps)
    assert re.fullmatch(r"Test Model Loss: 1\.\d+", printed[-2])
    assert re.fullmatch(r"Test Model Accuracy: 0\.\d+", printed[-1])


@pytest.mark.parametrize(
    ("name", "last"),
    [
        ("functional.py", r"lag 0\.\d\d, guessed -?[01]\.\d\d"),
        ("own_layer.py", r"\['sequential/bumps/centre', 'sequential/bumps/width', .*\]"),
        ("callbacks.py", r"best validation loss: 0\.\d+"),
    ],
)
def test_an_example_runs_to_its_last_line(name: str, last: str) -> None:
    assert re.fullmatch(last, lines(name)[-1])


def test_every_example_is_tried() -> None:
    tried = {"tutorial.py", "functional.py", "own_layer.py", "callbacks.py"}
    assert {path.name for path in EXAMPLES.glob("*.py")} == tried
