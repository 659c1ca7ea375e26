"""Messages to the person at the terminal, and the switch that sends them to a log instead."""

from __future__ import annotations

import sys

from oxhorn import _session

_interactive = True


def enable_interactive_logging() -> None:
    """Writes progress bars and messages to the standard output, which is the default."""
    global _interactive
    _interactive = True


def disable_interactive_logging() -> None:
    """Sends progress bars and messages to the logger `oxhorn`, at level INFO."""
    global _interactive
    _interactive = False


def is_interactive_logging_enabled() -> bool:
    """Whether progress bars and messages go to the standard output."""
    return _interactive


_session.on_clear(enable_interactive_logging)


def print_message(message: object, line_break: bool = True) -> None:
    """Writes a message to the standard output, or logs it while interactive logging is off."""
    text = str(message)
    if not _interactive:
        import logging

        logging.getLogger("oxhorn").info(text)
        return
    text = f"{text}\n" if line_break else text
    try:
        sys.stdout.write(text)
    except UnicodeEncodeError:
        # Terminals without Unicode get a plain bar, and lose what they cannot show.
        encoding = sys.stdout.encoding or "utf-8"
        plain = text.replace("━", "=").encode(encoding, errors="ignore")
        sys.stdout.write(plain.decode(encoding))
    sys.stdout.flush()
