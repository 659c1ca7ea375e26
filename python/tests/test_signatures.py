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

# What Oxhorn adds: by Keras' name, the text behind Keras' last parameter.
ADDED = json.loads((GOLDEN.parent / "xtask" / "python" / "additions.json").read_text())
ADDED = ADDED["parameters"]


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
    """Ours is what is recorded, and what the table adds to that."""
    expected = recorded or RECORDED[name]
    if name in ADDED:
        expected = with_added(expected, ADDED[name])
    assert f"{name}{ours}" == f"{name}{expected}"


def with_added(signature: str, added: str) -> str:
    """The signature with further parameters behind its last, and before `**kwargs`."""
    parameters, comma, rest = signature[1:-1].partition("**")
    parts = [parameters.rstrip(", "), added, comma + rest]
    return f"({', '.join(part for part in parts if part)})"


def test_parameters_are_added_before_the_rest() -> None:
    assert with_added("(a, b=1)", "*, c=2") == "(a, b=1, *, c=2)"
    assert with_added("(a, **kwargs)", "c=2") == "(a, c=2, **kwargs)"
    assert with_added("(**kwargs)", "") == "(**kwargs)"
    assert with_added("()", "") == "()"


def test_the_table_of_additions_holds_nothing_that_keras_has_or_nobody_knows() -> None:
    for name, added in ADDED.items():
        owner, _, member = name.rpartition(".")
        recorded = RECORDED[name] if name in RECORDED else RECORDED[owner][member]
        assert added and added.removeprefix("*, ").split("=")[0] not in recorded, name


def test_oxhorn_has_the_names_that_every_script_needs() -> None:
    names = {name for name, _ in OURS}
    assert {"Sequential", "Model", "Input", "layers.Dense", "optimizers.Adam"} <= names
