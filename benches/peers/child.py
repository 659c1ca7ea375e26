"""Processes that take turns: each is asked for a turn, and answers with what it took."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
import time
from statistics import median
from typing import NamedTuple

from turnstile import Turnstile

# Threads that have just worked may look out for more work for a while, at others' cost.
REST_S = 0.25
# Longer than anyone needs for a turn, or to compile.
PATIENCE_S = 120


class Turns(NamedTuple):
    """What the turns of one rival took, each the seconds of one step."""

    seconds: list[float]

    @property
    def median(self) -> float:
        """The middle one."""
        return median(self.seconds)

    @property
    def best(self) -> float:
        """The least."""
        return min(self.seconds)


class Child:
    """A process that has one or more rivals in it, and waits until it is asked."""

    def __init__(self, name: str, command: list[str]) -> None:
        self.name = name
        # A pipe that nobody reads would fill up.
        self.errors = tempfile.TemporaryFile("w+")
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            command, stdin=pipe, stdout=pipe, stderr=self.errors, text=True
        )
        # The first answer comes when everything is compiled.
        self.versions: dict[str, str] = self.answer()

    def answer(self) -> dict:
        """The next line of what the process says."""
        # Whoever hangs would hold up all others, and the lock.
        watch = threading.Timer(PATIENCE_S, self.process.kill)
        watch.start()
        line = self.process.stdout.readline()
        watch.cancel()
        if not line:
            self.errors.seek(0)
            sys.exit(f"{self.name} has ended:\n{self.errors.read()}")
        return json.loads(line)

    def turn(self) -> dict[str, float]:
        """Asks for a turn of each of its rivals."""
        time.sleep(REST_S)
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.answer()

    def end(self) -> None:
        """Lets the process go; it ends when nobody can ask any more."""
        self.process.stdin.close()
        self.process.wait()


def start(commands: dict[str, list[str]], machine: Turnstile) -> list[Child]:
    """Starts a process for each name."""
    children = []
    for name, command in commands.items():
        children.append(Child(name, command))
        machine.offer()
    return children


def take_turns(
    children: list[Child], rounds: int, machine: Turnstile
) -> dict[tuple[str, str], Turns]:
    """Lets all take so many turns; what each took, by process and rival."""
    turns: dict[tuple[str, str], Turns] = {}
    for _ in range(rounds):
        for child in children:
            for rival, seconds in child.turn().items():
                turns.setdefault((child.name, rival), Turns([])).seconds.append(seconds)
        machine.offer()
    return turns
