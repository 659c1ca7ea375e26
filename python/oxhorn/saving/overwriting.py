"""Whether a file that is there may be replaced: a person is asked where a call says so."""

from __future__ import annotations

import os


def may_write(path: str, overwrite: bool) -> bool:
    """Whether there is no file at a path, or it may be replaced."""
    if overwrite or not os.path.exists(path):
        return True
    answer = input(f"[WARNING] {path} already exists - overwrite? [y/n]").strip().lower()
    while answer not in ("y", "n"):
        answer = input('Enter "y" (overwrite) or "n" (cancel).').strip().lower()
    return answer == "y"
