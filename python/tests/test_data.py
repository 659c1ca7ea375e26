"""Data of every kind: a fit on them gives what Keras recorded, and what the plain arrays give."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER))

import record_fits  # noqa: E402
from test_same_curves import differences  # noqa: E402

import oxhorn  # noqa: E402

CASES = [(file, name) for file in record_fits.files() for name in record_fits.fits(file)]


@pytest.mark.parametrize(("file", "name"), CASES, ids=[f"{f}-{n}" for f, n in CASES])
def test_a_fit_gives_what_it_gives_in_keras(file: str, name: str) -> None:
    path = FOLDER / "recorded" / f"fits_{file}.json"
    recorded = json.loads(path.read_text(encoding="utf-8"))[name]
    found = record_fits.outcome(record_fits.fits(file)[name], oxhorn)
    assert found.get("raises") == recorded.get("raises"), found.get("because")
    differ = differences(name, found.get("gives"), recorded.get("gives"))
    assert not differ, "\n".join(differ[:10])
