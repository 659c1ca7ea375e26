"""Records what Keras does: python golden/record.py [kind ...] rewrites the folders of those kinds, or of all."""

import importlib
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

KINDS = [
    "activations",
    "layers",
    "initializers",
    "losses",
    "metrics",
    "optimizers",
    "schedules",
    "random",
    "training",
    "text",
    "ops",
    "files",
    "signatures",
]
# Recorded from other packages than Keras (requirements-calibration.txt), and so only when asked for.
APART = ["calibration"]

if __name__ == "__main__":
    if os.environ.get("PYTHONHASHSEED") != "0":
        # Some messages print sets, whose order would differ from run to run.
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "PYTHONHASHSEED": "0"})
    for kind in sys.argv[1:] or KINDS:
        if kind not in KINDS + APART:
            sys.exit(f"no kind {kind!r}; there are: {' '.join(KINDS + APART)}")
        importlib.import_module(f"recorders.{kind}").record()
        print("recorded", kind)
