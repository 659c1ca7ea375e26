"""What `import oxhorn` takes beyond `import numpy`, each in processes of its own, in turn.

python import_time.py [PYTHON_WITH_OXHORN] [--runs 21]
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys

STATEMENTS = ["import numpy", "import numpy, oxhorn"]


def seconds(python: str, statement: str) -> float:
    """How long the statement takes in a fresh process, whose own start does not count."""
    lines = ["from time import perf_counter", "start = perf_counter()", statement]
    lines += ["print(perf_counter() - start)"]
    # Compiled modules are kept, as they are wherever nobody forbids it.
    around = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [python, "-c", "\n".join(lines)]
    done = subprocess.run(command, capture_output=True, text=True, env=around)
    if done.returncode != 0:
        sys.exit(f"{python}: {done.stderr}")
    return float(done.stdout)


def main() -> None:
    """Measures as the arguments say, and prints the medians."""
    parser = argparse.ArgumentParser(description="The time of an import.")
    parser.add_argument("python", nargs="?", default=sys.executable, help="which Python (this)")
    parser.add_argument("--runs", type=int, default=21, help="of each (21)")
    asked = parser.parse_args()
    if asked.runs < 1:
        parser.error(f"--runs must be at least 1, got {asked.runs}")
    # The first round reads the files that later ones find in memory.
    rounds = [[seconds(asked.python, it) for it in STATEMENTS] for _ in range(asked.runs + 1)]
    medians = [1000 * statistics.median(column) for column in zip(*rounds[1:])]
    # Pairs ran side by side, so their differences vary less than either.
    beyond = [1000 * (both - numpy) for numpy, both in rounds[1:]]
    for statement, median in zip(STATEMENTS, medians):
        print(f"{statement:<24}{median:8.1f} ms")
    print(f"{'import oxhorn, beyond':<24}{statistics.median(beyond):8.1f} ms")


if __name__ == "__main__":
    main()
