"""Oxhorn beside its peers, in turn, in one table.

    python benches/peers/run.py --peers PYTHON --oxhorn PYTHON [--rounds 9] [--markdown]

Each PYTHON is an interpreter that has what its name says: see README.md beside this file.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import machine
import table
from figures import FIGURES
from peers import PYTHON_PEERS, RUST_PEERS, Setup
from turnstile import Turnstile

NAMES = [*PYTHON_PEERS, *RUST_PEERS]


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(description="Oxhorn beside its peers.")
    parser.add_argument("--peers", required=True, help="a Python that has the peers")
    parser.add_argument("--oxhorn", required=True, help="a Python that has Oxhorn")
    parser.add_argument("--rounds", type=int, default=9, help="turns of each (9)")
    parser.add_argument(
        "--only", nargs="+", choices=list(FIGURES), default=list(FIGURES), help="these figures"
    )
    parser.add_argument(
        "--without", nargs="+", choices=NAMES, default=[], help="leave out these peers"
    )
    parser.add_argument("--lock", type=Path, help="a file to lock while measuring")
    parser.add_argument("--markdown", action="store_true", help="print the table for a page")
    asked = parser.parse_args()
    if asked.rounds < 1:
        parser.error(f"--rounds must be at least 1, got {asked.rounds}")
    return asked


def main() -> None:
    """Measures as the arguments say, and prints the table."""
    asked = arguments()
    rows = []
    with Turnstile(asked.lock) as turnstile:
        setup = Setup(asked.peers, asked.oxhorn, asked.rounds, turnstile, asked.without)
        setup.build()
        for name in asked.only:
            print(f"{name} ...", file=sys.stderr)
            rows += FIGURES[name](setup)
    versions = ", ".join(f"{name} {version}" for name, version in setup.versions.items())
    show = table.markdown if asked.markdown else table.text
    print(f"{machine.described()}\n{versions}; {asked.rounds} rounds in turn\n\n{show(rows)}")


if __name__ == "__main__":
    main()
