"""Every name that Oxhorn shares with Keras is called with the same parameters and defaults."""

from __future__ import annotations

import json
import operator
import runpy
from pathlib import Path

import pytest

import oxhorn

GOLDEN = Path(__file__).parents[2] / "golden"
RECORDED = json.loads((GOLDEN / "python" / "signatures.json").read_text())["names"]
# One definition of what a signature's text is, for those recorded and for ours.
RECORDER = runpy.run_path(str(GOLDEN / "recorders" / "signatures.py"))

# Ours where it is not Keras': name, or name and method, our signature, and why.
DIFFERENT: dict[str, tuple[str, str]] = {}

# What Oxhorn adds to Keras' parameters, after them and by name only.
ADDED = {
    "Model.compile": "allow=()",
    "Sequential.compile": "allow=()",
    "Model.fit": "clean_train_eval=False",
    "Sequential.fit": "clean_train_eval=False",
}


def found(name: str) -> object:
    """What Oxhorn has under this name, or None; a module that it lacks lacks its names too."""
    try:
        return operator.attrgetter(name)(oxhorn)
    except (AttributeError, NotImplementedError):
        return None


OURS = [(name, value) for name in RECORDED if (value := found(name)) is not None]


@pytest.mark.parametrize(("name", "ours"), OURS, ids=[name for name, _ in OURS])
def test_a_name_is_called_as_in_keras(name: str, ours: object) -> None:
    recorded = RECORDED[name]
    if isinstance(recorded, str):
        compare(name, RECORDER["signature"](ours.__init__ if isinstance(ours, type) else ours))
        return
    members = RECORDER["members"](ours)
    for member in recorded.keys() & members.keys():
        compare(f"{name}.{member}", members[member], recorded[member])


def compare(name: str, ours: str, recorded: str | None = None) -> None:
    """Ours is what is recorded, unless the table says what it is, and why."""
    expected, _ = DIFFERENT.get(name, (recorded or RECORDED[name], ""))
    if name in ADDED:
        expected = f"{expected.removesuffix(')')}, *, {ADDED[name]})"
    assert f"{name}{ours}" == f"{name}{expected}"


def test_the_table_of_differences_holds_nothing_that_is_equal_or_unknown() -> None:
    for name, (ours, why) in DIFFERENT.items():
        owner, _, member = name.rpartition(".")
        recorded = RECORDED.get(name) or RECORDED[owner][member]
        assert ours != recorded and why, name


def test_oxhorn_has_the_names_that_every_script_needs() -> None:
    names = {name for name, _ in OURS}
    assert {"Sequential", "Model", "Input", "layers.Dense", "optimizers.Adam"} <= names
