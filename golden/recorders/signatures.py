"""What every public name of Keras is called with: the parameters and their defaults, as text."""

import inspect
import types

MODULES = [
    *("layers", "models", "optimizers", "losses", "metrics", "callbacks", "regularizers"),
    *("constraints", "initializers", "activations", "ops", "random", "utils", "datasets"),
    *("saving", "config", "backend", "tree"),
]

# Those that people derive from or hold in their hands, so that methods count as much as arguments.
WHOLE = ["Model", "Sequential", "Layer", "Loss", "Metric", "Optimizer", "Variable", "KerasTensor"]
WHOLE += ["callbacks.Callback", "callbacks.CallbackList", "callbacks.History"]
WHOLE += ["optimizers.schedules.LearningRateSchedule", "random.SeedGenerator", "utils.PyDataset"]


def signature(function):
    """The parameters of a function as text: without annotations, and without `self`."""
    if function is object.__init__:
        return "()"
    parameters = list(inspect.signature(function).parameters.values())
    if parameters and parameters[0].name in ("self", "cls"):
        parameters = parameters[1:]
    plain = [it.replace(annotation=it.empty) for it in parameters]
    return str(inspect.Signature(plain))


def members(cls):
    """Each public attribute of a class: a method's signature, or that it is a property."""
    found = {"__init__": signature(cls.__init__)}
    for name in sorted(dir(cls)):
        value = inspect.getattr_static(cls, name)
        if name.startswith("_"):
            continue
        if isinstance(value, property):
            found[name] = "property"
        elif callable(getattr(cls, name)):
            found[name] = signature(getattr(cls, name))
    return found


def public(module, prefix):
    """The functions and classes of a module and of those within it, by their names."""
    for name, value in sorted(vars(module).items()):
        if name.startswith("_"):
            continue
        if isinstance(value, types.ModuleType):
            if value.__name__ == f"{module.__name__}.{name}":
                yield from public(value, f"{prefix}{name}.")
        elif isinstance(value, type) or callable(value):
            yield prefix + name, value


def record():
    """Writes one line a name."""
    import json
    import os

    import keras

    from .common import HERE, clear

    found = [(name, value) for name, value in sorted(vars(keras).items()) if callable(value)]
    for name in MODULES:
        found += public(getattr(keras, name), f"{name}.")
    names = {}
    for name, value in found:
        if name.startswith("_"):
            continue
        if name in WHOLE:
            names[name] = members(value)
        else:
            names[name] = signature(value.__init__ if isinstance(value, type) else value)
    assert set(WHOLE) <= set(names)
    # A default that prints its address would be another text in each process.
    assert " at 0x" not in str(names)
    dumps = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode
    lines = ",\n".join(f"{dumps(name)}:{dumps(value)}" for name, value in names.items())
    clear("python")
    path = os.path.join(HERE, "python", "signatures.json")
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write(f'{{"keras":"{keras.__version__}",\n"names":{{\n{lines}\n}}}}\n')
    json.load(open(path, encoding="utf-8"))
