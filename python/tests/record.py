"""Records what Keras does in every scenario: `KERAS_BACKEND=jax python record.py [name ...]`.

A scenario is a function of the package, `keras` or `oxhorn`, in one of the files in `scenarios/`.
This program runs them with Keras, 3.15.1 on JAX, and writes `recorded/*.json`, which the tests
compare with.
"""

from __future__ import annotations

import importlib
import inspect
import json
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def names() -> list[str]:
    """The files of scenarios, without their endings."""
    return sorted(p.stem for p in (FOLDER / "scenarios").glob("*.py") if p.stem[0] != "_")


def scenarios(name: str) -> dict:
    """The functions that a file of scenarios defines, by their names."""
    functions = vars(importlib.import_module(f"scenarios.{name}")).values()
    own = [f for f in functions if getattr(f, "__module__", "") == f"scenarios.{name}"]
    return {f.__name__: f for f in own if inspect.isfunction(f) and f.__name__[0] != "_"}


def outcome(scenario, keras) -> dict:
    """What a scenario returns, raises, prints and warns of, as text."""
    import contextlib
    import io
    import os
    import tempfile
    import warnings

    printed = io.StringIO()
    result = {}
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        os.chdir(folder)
        try:
            with contextlib.redirect_stdout(printed):
                result["returned"] = repr(scenario(keras))
        except Exception as error:
            result["raised"] = f"{type(error).__name__}: {error}"
        finally:
            os.chdir(before)
    # Warnings of the interpreter about its own age are none of a scenario's business.
    result["warned"] = [
        str(w.message) for w in caught if w.category in (UserWarning, DeprecationWarning)
    ]
    result["printed"] = printed.getvalue()
    return {key: value for key, value in result.items() if value not in ("", [])}


def main() -> None:
    import keras

    (FOLDER / "recorded").mkdir(exist_ok=True)
    for name in sys.argv[1:] or names():
        recorded = {key: outcome(s, keras) for key, s in scenarios(name).items()}
        text = json.dumps(recorded, indent=1, ensure_ascii=False, sort_keys=True)
        (FOLDER / "recorded" / f"{name}.json").write_text(text + "\n", encoding="utf-8")
        print(f"{name}: {len(recorded)} scenarios")


if __name__ == "__main__":
    sys.path.insert(0, str(FOLDER))
    main()
