"""Every scenario does in Oxhorn what it was recorded to do in Keras."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from types import ModuleType

import pytest

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER))

import record  # noqa: E402


class Oxhorn:
    """The package as scenarios see it; a scenario needs only the modules that it names."""

    def __getattr__(self, name: str) -> ModuleType:
        return importlib.import_module(f"oxhorn.{name}")


CASES = [(file, name) for file in record.names() for name in record.scenarios(file)]


@pytest.mark.parametrize(("file", "name"), CASES, ids=[f"{f}-{n}" for f, n in CASES])
def test_does_what_keras_does(file: str, name: str) -> None:
    recorded = json.loads((FOLDER / "recorded" / f"{file}.json").read_text(encoding="utf-8"))
    found = record.outcome(record.scenarios(file)[name], Oxhorn())
    assert found == recorded[name]
