"""What importing the package costs: no module that few programs need is loaded on the way."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import oxhorn

HEAVY = {"urllib.request", "tempfile", "zipfile", "tarfile", "hashlib", "logging", "socket"}
HEAVY |= {"matplotlib", "tensorboard", "IPython", "pandas", "multiprocessing", "concurrent.futures"}


@pytest.mark.parametrize("module", ["callbacks", "utils", "tree", "config", "datasets"])
def test_importing_loads_nothing_heavy(module) -> None:
    program = f"""
import sys, numpy
before = set(sys.modules)
import oxhorn.{module}
print(*(set(sys.modules) - before))
"""
    package = Path(oxhorn.__file__).parent.parent
    found = subprocess.run(
        [sys.executable, "-c", program], cwd=package, capture_output=True, text=True, check=True
    )
    loaded = set(found.stdout.split())
    assert f"oxhorn.{module}" in loaded
    assert loaded & HEAVY == set()


@pytest.mark.parametrize("module", ["callbacks", "utils", "config", "datasets"])
def test_every_public_name_is_there(module) -> None:
    import importlib

    package = importlib.import_module(f"oxhorn.{module}")
    assert set(package.__all__) <= set(dir(package))
    assert all(getattr(package, name) is not None for name in package.__all__)
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        package.nothing  # noqa: B018
