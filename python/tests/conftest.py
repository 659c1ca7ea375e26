"""Settings of all tests: where the package lies when it is not installed."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

if importlib.util.find_spec("oxhorn") is None:
    sys.path.insert(0, str(Path(__file__).parent.parent))
