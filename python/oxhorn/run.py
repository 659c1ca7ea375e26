"""The command `oxhorn`: runs a script that was written for Keras, as it is.

    oxhorn run script.py argument ...        or   python -m oxhorn.run script.py argument ...

The script is the main program, as under `python script.py`; its imports of `keras`, `tf_keras` and
`tensorflow.keras` give Oxhorn (see `oxhorn.imports`).
"""

from __future__ import annotations

import os
import sys
import types
from importlib.machinery import SourceFileLoader
from typing import NoReturn

USAGE = """\
usage: oxhorn run SCRIPT [ARGUMENT ...]
       oxhorn --version | --help

Runs a Python script in which `keras`, `tf_keras` and `tensorflow.keras` are Oxhorn.
`python -m oxhorn.run SCRIPT [ARGUMENT ...]` does the same."""


def main(arguments: list[str] | None = None) -> None:
    """What the command line asks for; `arguments` are those after the program's name."""
    match sys.argv[1:] if arguments is None else arguments:
        case ["-h" | "--help" | "help", *_] | ["run", "-h" | "--help", *_]:
            print(USAGE)
            sys.exit(0)
        case ["-V" | "--version", *_]:
            from importlib.metadata import version

            print("oxhorn", version("oxhorn"))
            sys.exit(0)
        case ["run", script, *rest]:
            run(script, rest)
        case ["run"]:
            stop("which script?")
        case []:
            stop("what to do?")
        case [unknown, *_]:
            stop(f"no command {unknown!r}")


def stop(complaint: str) -> NoReturn:
    """Ends with what is wrong with the command line, by the exit code that Python has for it."""
    print(f"oxhorn: {complaint}\n{USAGE}", file=sys.stderr)
    sys.exit(2)


def run(script: str, arguments: list[str]) -> NoReturn:
    """Runs the script as the main program, and ends the process as it would end by itself."""
    from oxhorn import imports

    path = os.path.abspath(script)
    try:
        with open(path, "rb") as file:
            source = file.read()
    except OSError as error:
        reason = f"[Errno {error.errno}] {error.strerror}"
        print(f"oxhorn: can't open file {path!r}: {reason}", file=sys.stderr)
        sys.exit(2)

    imports.install()
    sys.argv = [script, *arguments]
    # Under `-P` and `-I` Python puts no folder of the script there either.
    if not getattr(sys.flags, "safe_path", sys.flags.isolated):
        sys.path[0] = os.path.dirname(os.path.realpath(path))
    module = types.ModuleType("__main__")
    module.__file__ = path
    module.__loader__ = SourceFileLoader("__main__", path)
    module.__dict__["__builtins__"] = sys.modules["builtins"]
    sys.modules["__main__"] = module
    sys.exit(outcome(source, path, module.__dict__))


def outcome(source: bytes, path: str, names: dict[str, object]) -> int:
    """Runs the code, shows what it does not catch, and gives the exit code."""
    try:
        # Our own `from __future__` imports are no part of the script.
        exec(compile(source, path, "exec", dont_inherit=True), names)
    except SystemExit:
        raise
    except BaseException as error:
        link: BaseException | None = error
        while link is not None:
            link.__traceback__ = shown(link.__traceback__)
            link = link.__cause__ or link.__context__
        sys.excepthook(type(error), error, error.__traceback__)
        # What a shell makes of a process that ends by the signal of Ctrl-C.
        return 130 if isinstance(error, KeyboardInterrupt) else 1
    return 0


def shown(traceback: types.TracebackType | None) -> types.TracebackType | None:
    """The traceback without our frames, of which the first is the one that runs the script.

    After `keras.config.disable_traceback_filtering()` only frames of this file are left out.
    """
    if traceback is None:
        return None
    config = sys.modules.get("oxhorn.config")
    filtering = config is None or config.is_traceback_filtering_enabled()
    ours = os.path.join(os.path.dirname(__file__), "") if filtering else __file__
    traceback.tb_next = shown(traceback.tb_next)
    hidden = traceback.tb_frame.f_code.co_filename.startswith(ours)
    return traceback.tb_next if hidden else traceback


if __name__ == "__main__":
    main(["run", *sys.argv[1:]])
