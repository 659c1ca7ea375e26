"""The tutorial as whole processes under TensorFlow's Keras and under Oxhorn: time and memory.

    python side_by_side.py PYTHON_WITH_TENSORFLOW PYTHON_WITH_OXHORN [--runs 5] [--script FILE]

Both run in turn, so that whatever else the machine does meanwhile slows both. One run of each goes
before and is not counted: it reads the files that later runs find in memory.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

TUTORIAL = Path(__file__).parents[2] / "examples" / "tutorial.py"
# The unit of `ru_maxrss`: KiB, but on a Mac bytes.
MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024


class Run(NamedTuple):
    """What one process took."""

    wall_s: float
    processor_s: float
    memory_mib: float


# Each column's heading, the places after its point, and its number.
COLUMNS = [
    ("wall s", 2, lambda run: run.wall_s),
    ("processor s", 2, lambda run: run.processor_s),
    ("peak MiB", 0, lambda run: run.memory_mib),
]


def measured(command: list[str]) -> Run:
    """Runs a command to its end, its output thrown away."""
    environment = {**os.environ, "KERAS_BACKEND": "tensorflow"}
    start = time.perf_counter()
    child = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment
    )
    errors = child.stderr.read() if child.stderr else b""
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.perf_counter() - start
    # It has been waited for: Popen is told, lest it wait again.
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"{' '.join(command)}: exit code {child.returncode}\n{errors.decode()}")
    memory = usage.ru_maxrss * MAXRSS_BYTES / 2**20
    return Run(wall, usage.ru_utime + usage.ru_stime, memory)


def row(name: str, cells: list[str]) -> str:
    """A line of the table."""
    return f"{name:<12}" + "".join(f"{cell:>24}" for cell in cells)


def summary(runs: list[Run]) -> list[str]:
    """The median of each column, and the least and the most."""
    cells = []
    for _, places, number in COLUMNS:
        values = [number(run) for run in runs]
        median, least, most = statistics.median(values), min(values), max(values)
        cells.append(f"{median:.{places}f} ({least:.{places}f} … {most:.{places}f})")
    return cells


def ratios(one: list[Run], other: list[Run]) -> list[str]:
    """How many times the other's median the one's is."""
    medians = [
        [statistics.median(number(run) for run in runs) for _, _, number in COLUMNS]
        for runs in (one, other)
    ]
    return [f"{first / second:.1f} ×" for first, second in zip(*medians)]


def main() -> None:
    """Measures as the arguments say, and prints the table."""
    parser = argparse.ArgumentParser(description="One script under both.")
    parser.add_argument("tensorflow", help="a Python that has TensorFlow")
    parser.add_argument("oxhorn", help="a Python that has Oxhorn")
    parser.add_argument("--runs", type=int, default=5, help="of each (5)")
    parser.add_argument("--script", default=str(TUTORIAL), help="what to run (the tutorial)")
    asked = parser.parse_args()
    if asked.runs < 1:
        parser.error(f"--runs must be at least 1, got {asked.runs}")
    commands = [
        [asked.tensorflow, asked.script],
        [asked.oxhorn, "-m", "oxhorn.run", asked.script],
    ]
    rounds = [[measured(command) for command in commands] for _ in range(asked.runs + 1)]
    tensorflow, oxhorn = ([both[which] for both in rounds[1:]] for which in (0, 1))
    print(f"{asked.script}, medians of {asked.runs} runs in turn (least … most)\n")
    print(row("", [heading for heading, _, _ in COLUMNS]))
    print(row("TensorFlow", summary(tensorflow)))
    print(row("Oxhorn", summary(oxhorn)))
    print(row("ratio", ratios(tensorflow, oxhorn)))


if __name__ == "__main__":
    main()
