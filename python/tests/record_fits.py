"""Records what fits give in Keras: `KERAS_BACKEND=jax python record_fits.py [file ...]`.

As `record.py`, but for results that are numbers, which are compared within rounding.
"""

from __future__ import annotations

import importlib
import inspect
import json
import sys
import warnings
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent


def files() -> list[str]:
    """The files of fits, without their endings."""
    return sorted(path.stem for path in (FOLDER / "fits").glob("*.py"))


def fits(file: str) -> dict[str, Any]:
    """The functions of the package, and of nothing else, that a file defines, by name."""
    module = importlib.import_module(f"fits.{file}")
    own = {name: f for name, f in vars(module).items() if inspect.isfunction(f)}
    of_package = {
        n: f for n, f in own.items() if list(inspect.signature(f).parameters) == ["keras"]
    }
    return {n: f for n, f in of_package.items() if f.__module__ == module.__name__}


def numbers(value: Any) -> Any:
    """The value as JSON has it."""
    if isinstance(value, dict):
        return {str(key): numbers(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [numbers(item) for item in value]
    return value.item() if hasattr(value, "item") else value


def outcome(fit: Any, keras: Any) -> Any:
    """What a fit gives, or the type of what it raises."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return {"gives": numbers(fit(keras))}
        except Exception as error:
            return {"raises": type(error).__name__, "because": str(error)[:300]}


def main() -> None:
    import keras

    (FOLDER / "recorded").mkdir(exist_ok=True)
    for file in sys.argv[1:] or files():
        recorded = {name: outcome(fit, keras) for name, fit in fits(file).items()}
        text = json.dumps(recorded, sort_keys=True, separators=(",", ":"))
        text = text.replace('},"', '},\n"')
        (FOLDER / "recorded" / f"fits_{file}.json").write_text(text + "\n", encoding="utf-8")
        print(f"{file}: {len(recorded)} fits")
        for name, found in recorded.items():
            if "raises" in found:
                print(f"  {name} raises {found['raises']}: {found['because']}")


if __name__ == "__main__":
    sys.path.insert(0, str(FOLDER))
    main()
