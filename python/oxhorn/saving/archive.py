"""`.keras` files: a model's config, its weights, its optimizer's state and its random streams."""

from __future__ import annotations

import datetime
import json
import os
import warnings
from typing import Any

from oxhorn import _native
from oxhorn.saving.file_scope import FileScope, SharingScope
from oxhorn.saving.objects import deserialize_keras_object, serialize_keras_object
from oxhorn.saving.overwriting import may_write
from oxhorn.saving.own_state import check_layout, facts, random_state, take_random_state
from oxhorn.saving.store import Tree
from oxhorn.saving.weights_file import weights_of

ENDING = ".keras"
# The version of Keras whose files these are.
KERAS_VERSION = "3.15.1"
# The key of our own version, by which files of ours are told from Keras'.
OWN_VERSION = "oxhorn_version"


def save(model: Any, filepath: Any, overwrite: bool = True) -> None:
    """Writes a model to a file, which is replaced in one step.

    Args:
        model: the model.
        filepath: the file, whose name ends in `.keras`, or a binary file to write to.
        overwrite: whether a file that is there is replaced; otherwise a person is asked.
    """
    if not model.built:
        warnings.warn(
            "You are saving a model that has not yet been built. It might not contain any weights "
            "yet. Consider building the model first by calling it on some data.",
            stacklevel=4,
        )
    if hasattr(filepath, "write"):
        filepath.write(_native.write_keras(None, contents(model)))
        return
    path = os.fspath(filepath)
    if may_write(path, overwrite):
        _native.write_keras(path, contents(model))


def contents(model: Any) -> dict[str, Any]:
    """What is in the file of a model."""
    with SharingScope(model):
        config = serialize_keras_object(model)
    if isinstance(config.get("compile_config"), dict):
        # Keras would hand them to its own `compile`, which knows none.
        config["compile_config"].pop("techniques", None)
    tree = weights_of(model)
    return {
        "metadata": json.dumps(metadata()),
        "config": json.dumps(config),
        "groups": tree.groups,
        "tensors": tree.arrays,
        "facts": json.dumps(facts(model)),
        "state": random_state(model),
    }


def metadata() -> dict[str, str]:
    """What a file says of itself."""
    return {
        "keras_version": KERAS_VERSION,
        "date_saved": now().strftime("%Y-%m-%d@%H:%M:%S"),
        OWN_VERSION: _native.__version__,
    }


def now() -> datetime.datetime:
    """The time that files bear."""
    return datetime.datetime.now()


def load(source: Any, custom_objects: Any, compile: bool, safe_mode: bool) -> Any:
    """The model of a file.

    Args:
        source: the path of the file, or its bytes.
        custom_objects: classes and functions of one's own by name.
        compile: whether the model is compiled as the saved one was.
        safe_mode: whether code is refused as such; no setting lets it run.
    """
    archive = _native.read_keras(source)
    config = json.loads(archive["config"])
    if not isinstance(config, dict):
        raise ValueError(f"The config of a model is a dictionary. Received: {config}")
    own_facts = json.loads(archive["facts"] or "{}")
    if archive["state"] is not None:
        check_layout(own_facts)
    if not compile:
        config["compile_config"] = None
    elif isinstance(config.get("compile_config"), dict) and own_facts.get("techniques"):
        config["compile_config"]["techniques"] = own_facts["techniques"]
    stated = json.loads(archive["metadata"])
    tree = Tree(archive["groups"], archive["tensors"])
    version, own = stated.get("keras_version"), OWN_VERSION in stated
    with FileScope(version, own, tree.numbers()):
        model = deserialize_keras_object(config, custom_objects, safe_mode=safe_mode)
    take_state(model, tree)
    take_random_state(model, archive["state"] or {})
    return model


def take_state(model: Any, tree: Tree) -> None:
    """Gives a model the weights of its file, and its optimizer the state."""
    from oxhorn.models.model import Model
    from oxhorn.saving import optimizer_state
    from oxhorn.saving.weights_file import take_weights

    if not isinstance(model, Model):
        raise ValueError(f"The file is that of a {type(model).__name__}, and not of a model.")
    if model.compiled and model.built:
        optimizer_state.build(model)
    take_weights(model, tree, (), skip_mismatch=False)
