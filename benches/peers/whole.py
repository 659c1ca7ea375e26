"""The tutorial as whole processes, from start to exit: time and peak memory."""

from __future__ import annotations

import sys
from pathlib import Path

from child import Turns
from peers import KERAS_TENSORFLOW, OXHORN, Setup
from table import Row, mebibytes, times

sys.path.append(str(Path(__file__).parents[1] / "python"))
import side_by_side


def script(setup: Setup) -> list[Row]:
    """The tutorial under TensorFlow's Keras and under Oxhorn, in turn."""
    tutorial = str(side_by_side.TUTORIAL)
    commands = {
        OXHORN: [setup.oxhorn, "-m", "oxhorn.run", tutorial],
        KERAS_TENSORFLOW: [setup.peers, tutorial],
    }
    runs: dict[str, list[side_by_side.Run]] = {name: [] for name in commands}
    for turn in range(setup.rounds + 1):
        for name, command in commands.items():
            run = side_by_side.measured(command)
            # The first reads the files that later ones find in memory.
            runs[name] += [run] if turn else []
        setup.machine.offer()
    ours, theirs = runs.values()
    wall = [Turns([run.wall_s for run in each]) for each in (ours, theirs)]
    memory = [Turns([run.memory_mib for run in each]) for each in (ours, theirs)]
    return [
        times("tutorial script in Python, whole process", OXHORN, wall[0]),
        times("", KERAS_TENSORFLOW, wall[1], wall[0], "≥ 40 ×"),
        times("its peak memory", OXHORN, memory[0], show=mebibytes),
        times("", KERAS_TENSORFLOW, memory[1], memory[0], "≥ 10 ×", show=mebibytes),
    ]
