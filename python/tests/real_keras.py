"""Runs scripts under real Keras in one process, since importing JAX takes longer than they do.

    python real_keras.py seed,seed,... script.py ...

prints a line `[script, seed, what the script printed]` of JSON for each script and seed.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import runpy
import sys
import tempfile
import warnings

os.environ["KERAS_BACKEND"] = "jax"
os.environ["JAX_PLATFORMS"] = "cpu"


def printed(script: str, seed: str) -> str:
    """What the script prints when it is run as a program with this argument."""
    import keras

    # Automatic names start again, as they do in a process of its own.
    keras.backend.clear_session()
    output = io.StringIO()
    sys.argv = [script, seed]
    with contextlib.redirect_stdout(output):
        runpy.run_path(script, run_name="__main__")
    return output.getvalue()


def main() -> None:
    """Runs all, with compiled programs kept: another seed runs the same ones, and so may another
    test, where `JAX_COMPILATION_CACHE_DIR` names a folder that stays."""
    import jax

    warnings.simplefilter("ignore")
    seeds, *scripts = sys.argv[1:]
    with tempfile.TemporaryDirectory() as passing:
        kept = os.environ.get("JAX_COMPILATION_CACHE_DIR", passing)
        jax.config.update("jax_compilation_cache_dir", kept)
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
        jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
        for script in scripts:
            for seed in seeds.split(","):
                print(json.dumps([script, seed, printed(script, seed)]), flush=True)


if __name__ == "__main__":
    main()
