"""What a peer's process does: it says what it is, then trains a turn whenever it is asked to.

A question is a line on standard input; an answer is a line of JSON on standard output, which maps
each of the process' rivals to the seconds of one step. The first line says versions.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable

from networks import NETWORKS, Network


def asked(**choices: list[str]) -> argparse.Namespace:
    """The network, the threads, and what else this peer lets one choose."""
    parser = argparse.ArgumentParser(description="A peer, which is asked by run.py.")
    parser.add_argument("network", choices=list(NETWORKS))
    parser.add_argument("--threads", type=int, required=True)
    for name, values in choices.items():
        parser.add_argument(f"--{name}", choices=values, required=True)
    return parser.parse_args()


def of(name: str) -> Network:
    """The network of this name."""
    return NETWORKS[name]


def use_cores(count: int) -> None:
    """Keeps this process to so many cores: for libraries that take as many threads as there are."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


def serve(versions: dict[str, str], turn: Callable[[], dict[str, float]]) -> None:
    """Answers until nobody asks any more."""
    # Libraries print as they please; what they print is no answer.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    # What is compiled is compiled now.
    turn()
    print(json.dumps(versions), file=answers, flush=True)
    for _ in sys.stdin:
        print(json.dumps(turn()), file=answers, flush=True)
