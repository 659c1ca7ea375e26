"""Files that are made to do harm are refused by name, and nothing in them is run."""

from __future__ import annotations

import base64
import io
import json
import marshal
import sys
import tarfile
import warnings
import zipfile
from pathlib import Path
from typing import Any

import pytest

import oxhorn as keras
from oxhorn import layers
from oxhorn.models import Sequential, load_model, model_from_json
from oxhorn.saving import safe_mode

# What must not happen while a file is read, in the words of Python's audits.
WATCHED = ("exec", "compile", "marshal.", "pickle.", "os.", "subprocess.", "socket.", "ctypes.")
# What Python itself does when it opens a file or looks whether there is one.
HARMLESS = ("os.listdir", "os.scandir")
seen: list[tuple[str, Any]] | None = None


def watch(event: str, arguments: Any) -> None:
    if seen is None or event in HARMLESS:
        return
    if event.startswith(WATCHED) or event == "open":
        seen.append((event, arguments))


sys.addaudithook(watch)


def refused(load: Any, *allowed: Path) -> str:
    """What is said of a file that must not be loaded, once it is known that nothing happened."""
    global seen
    for _ in range(2):  # The first time, modules of ours may be imported.
        seen = []
        try:
            load()
        except (ValueError, TypeError, NotImplementedError) as error:
            said, events = str(error), seen
        else:
            events, seen = seen, None
            raise AssertionError("it was loaded")
        finally:
            seen = None
    strange = [it for it in events if it[0] != "open" or str(it[1][0]) not in map(str, allowed)]
    assert not strange, strange
    return said


def code(marker: Path) -> str:
    """Byte code that leaves a mark when it is run, as Keras writes that of a lambda."""
    function = eval(f"lambda x: open({str(marker)!r}, 'w') and x")
    return base64.b64encode(marshal.dumps(function.__code__)).decode()


def layer(module: str | None, name: str, config: Any, **more: Any) -> dict[str, Any]:
    return {"module": module, "class_name": name, "config": config, "registered_name": name, **more}


def function(module: str, name: str) -> dict[str, Any]:
    return layer(module, "function", name)


def dense(**settings: Any) -> dict[str, Any]:
    return layer("keras.layers", "Dense", {"name": "d", "units": 2, **settings})


def hostile(marker: Path) -> dict[str, tuple[dict[str, Any], str]]:
    """Layers of the corpus, each with what must be said of it."""
    run = {"value": [code(marker), None, None]}
    unsafe = {"code": code(marker), "defaults": None, "closure": None}
    path = {"name": "v", "vocabulary": "/etc/passwd"}
    alive = layer("oxhorn", "PythonObject", {"number": 1, "settings": {}})
    touch = {"args": ["touch", str(marker)]}
    lambda_ = {"name": "l", "function": {"class_name": "__lambda__", "config": unsafe}}
    return {
        "H1": (layer("keras.layers", "Lambda", lambda_), "byte code"),
        "H1 older": (
            layer("keras.layers", "Lambda", {"function": {"class_name": "__lambda__", **run}}),
            "Lambda",
        ),
        "H2 class": (layer("subprocess", "Popen", touch), "Popen"),
        "H2 function": (dense(activation=function("os", "system")), "`system` of `os`"),
        "H2 call": (dense(kernel_initializer=layer("os", "system", touch)), "system"),
        "H3 get_file": (
            dense(activation=function("keras.utils", "get_file")),
            "get_file",
        ),
        "H3 load_model": (
            layer("keras.models", "load_model", {"filepath": "x", "safe_mode": False}),
            "load_model",
        ),
        "H4": (layer("keras.config", "enable_unsafe_deserialization", {}), "enable_unsafe"),
        "H4 function": (
            dense(activation=function("keras.config", "enable_unsafe_deserialization")),
            "enable_unsafe",
        ),
        "H6": (
            layer("keras.layers", "TorchModuleWrapper", {"module": "gASV", "name": "t"}),
            "`TorchModuleWrapper` is not made from a file: it is a pickled PyTorch module",
        ),
        "H7 strings": (layer("keras.layers", "StringLookup", path), "`StringLookup` is not made"),
        "H7 integers": (layer("keras.layers", "IntegerLookup", path), "`IntegerLookup` is not"),
        "H7 text": (layer("keras.layers", "TextVectorization", path), "`TextVectorization` is"),
        "H13": (
            layer("keras.layers", "TFSMLayer", {"filepath": "/tmp/x", "name": "t"}),
            "`TFSMLayer` is not made from a file: it loads another model from a path",
        ),
        "H15 builtins": (layer("builtins", "eval", {"source": "1"}), "eval"),
        "H15 function": (dense(activation=function("builtins", "exec")), "exec"),
        "alive": (alive, "PythonObject"),
        "alive activation": (dense(activation=alive), "PythonObject"),
        "alive initializer": (dense(kernel_initializer=alive), "PythonObject"),
        "alive regularizer": (dense(kernel_regularizer=alive), "PythonObject"),
        "private": (layer("keras.layers", "_CATEGORY", {}), "_CATEGORY"),
        "helper": (dense(activation=function("keras.activations", "deserialize")), "deserialize"),
    }


NAMES = list(hostile(Path("marker")))


def model_of(*own: dict[str, Any]) -> dict[str, Any]:
    start = layer("keras.layers", "InputLayer", {"batch_shape": [None, 3], "name": "x"})
    config = {"name": "m", "trainable": True, "layers": [start, *own]}
    return layer("keras", "Sequential", config, build_config={"input_shape": [None, 3]})


def archive(path: Path, config: Any, version: str = "3.15.1") -> Path:
    """A `.keras` file with this config, as somebody else may write it, with whole weights."""
    good = path.with_name("good.keras")
    Sequential([layers.Input((3,)), layers.Dense(2)]).save(good)
    text = config if isinstance(config, str) else json.dumps(config)
    with zipfile.ZipFile(good) as whole, zipfile.ZipFile(path, "w") as changed:
        changed.writestr("metadata.json", json.dumps({"keras_version": version}))
        changed.writestr("config.json", text)
        changed.writestr("model.weights.h5", whole.read("model.weights.h5"))
    return path


def test_what_is_changed_is_loaded_if_it_does_no_harm(tmp_path: Path) -> None:
    assert load_model(archive(tmp_path / "a.keras", model_of(dense()))).count_params() == 8


@pytest.mark.parametrize("safe", [True, False])
@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_layer_is_refused(tmp_path: Path, name: str, safe: bool) -> None:
    own, said = hostile(tmp_path / "marker")[name]
    path = archive(tmp_path / "a.keras", model_of(own))
    assert said in refused(lambda: load_model(path, safe_mode=safe), path)
    assert not (tmp_path / "marker").exists()
    assert not safe_mode.is_unsafe_deserialization_enabled()


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_layer_is_refused_in_legacy_files(tmp_path: Path, name: str) -> None:
    own, said = hostile(tmp_path / "marker")[name]
    path = tmp_path / "a.h5"
    text = json.dumps({"class_name": "Sequential", "config": model_of(own)["config"]})
    groups = {"": {"keras_version": "2.11.0", "model_config": text}, "model_weights": {}}
    keras._native.write_h5(str(path), groups, {})
    assert said in refused(lambda: load_model(path, safe_mode=False), path)
    assert not (tmp_path / "marker").exists()


def test_byte_code_of_keras_2_is_refused(tmp_path: Path) -> None:
    own = layer("keras.layers", "Lambda", {"function": [code(tmp_path / "marker"), None, None]})
    path = tmp_path / "a.h5"
    text = json.dumps({"class_name": "Sequential", "config": model_of(own)["config"]})
    keras._native.write_h5(str(path), {"": {"model_config": text}, "model_weights": {}}, {})
    assert "byte code" in refused(lambda: load_model(path, safe_mode=False), path)
    assert not (tmp_path / "marker").exists()


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_layer_is_refused_outside_of_files(tmp_path: Path, name: str) -> None:
    own, said = hostile(tmp_path / "marker")[name]
    config = model_of(own)
    for load in (
        lambda: Sequential.from_config(config["config"]),
        lambda: model_from_json(json.dumps(config)),
        lambda: keras.saving.deserialize_keras_object(own, safe_mode=False),
        lambda: layers.deserialize(own),
    ):
        assert said in refused(load)
    assert not (tmp_path / "marker").exists()


def test_a_hostile_function_is_refused_as_loss_and_metric(tmp_path: Path) -> None:
    for key in ("loss", "metrics", "optimizer"):
        compiled = {"optimizer": "sgd", "loss": "mse", "metrics": None}
        compiled[key] = function("os", "system")
        config = {**model_of(dense()), "compile_config": compiled}
        path = archive(tmp_path / "a.keras", config)
        assert "`system` of `os`" in refused(lambda: load_model(path), path)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (model_of(dense(units=10**12)), "but the whole file has 8 numbers"),
        (model_of(dense(units=-1)), "units"),
        ('{"a": 1, "a": 2}', "a"),
        ("[" * 5000 + "]" * 5000, "deep"),
        ('{"rate": 1e999}', "number"),
        ("[1, 2]", "dictionary"),
        ('"text"', "dictionary"),
        ("{}", "of a dict"),
    ],
    ids=["large", "negative", "twice", "deep", "infinite", "list", "text", "nothing"],
)
def test_a_config_that_is_none_is_refused(tmp_path: Path, config: Any, said: str) -> None:
    path = archive(tmp_path / "a.keras", config)
    assert said in refused(lambda: load_model(path), path)


@pytest.mark.parametrize("history", [["a", 0, 0], ["b", 0, 0], ["a", -1, 0], ["c", 0, 0]])
def test_calls_in_circles_and_of_nothing_are_refused(tmp_path: Path, history: Any) -> None:
    tensor = {"class_name": "__keras_tensor__", "config": {"keras_history": history}}
    node = {"args": [tensor], "kwargs": {}}
    one = {**layer("keras.layers", "ReLU", {"name": "a"}), "name": "a", "inbound_nodes": [node]}
    two = {**layer("keras.layers", "ReLU", {"name": "b"}), "name": "b", "inbound_nodes": []}
    config = {"name": "f", "layers": [one, two], "input_layers": [["a", 0, 0]]}
    config["output_layers"] = [["b", 0, 0]]
    path = archive(tmp_path / "a.keras", layer("keras", "Functional", config))
    refused(lambda: load_model(path), path)


def test_a_registered_function_is_what_lambdas_become(tmp_path: Path) -> None:
    @keras.saving.register_keras_serializable("hostile")
    def doubled(x: Any) -> Any:
        return 2.0 * x

    model = Sequential([layers.Input((3,)), layers.Lambda(doubled)])
    model.save(tmp_path / "a.keras")
    assert load_model(tmp_path / "a.keras").layers[0].function is doubled
    with pytest.raises(NotImplementedError, match="`lambda` cannot be written down"):
        Sequential([layers.Input((3,)), layers.Lambda(lambda x: x)]).save(tmp_path / "b.keras")
    assert not (tmp_path / "b.keras").exists()


# Archives ----------------------------------------------------------------------------------------


def link(name: str, target: str, kind: bytes = tarfile.SYMTYPE) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, target
    return member


# H8 and H9: what would lie, or be read or written, outside of the folder.
ESCAPES: dict[str, list[tarfile.TarInfo]] = {
    "path": [tarfile.TarInfo("../escaped")],
    "absolute path": [tarfile.TarInfo("/tmp/oxhorn-escaped")],
    "link": [link("out", "../.."), tarfile.TarInfo("out/escaped")],
    "absolute link": [link("out", "/tmp"), tarfile.TarInfo("out/oxhorn-escaped")],
    "link through a link": [link("in", "."), link("in/out", ".."), tarfile.TarInfo("out/escaped")],
    "link and back": [link("in", "a/b"), tarfile.TarInfo("in/../../../escaped")],
    "hard link": [link("copy", "../secret", tarfile.LNKTYPE), tarfile.TarInfo("copy")],
    "hard link by a link": [
        link("out", "../.."),
        link("copy", "out/secret", tarfile.LNKTYPE),
        tarfile.TarInfo("copy"),
    ],
}


@pytest.mark.parametrize("name", ESCAPES)
def test_h8_and_h9_an_archive_stays_in_its_folder(tmp_path: Path, name: str) -> None:
    cache = tmp_path / "cache"
    outside = [tmp_path / "secret", cache / "secret", cache / "datasets" / "secret"]
    (cache / "datasets").mkdir(parents=True)
    for file in outside:
        file.write_text("secret")
    with tarfile.open(tmp_path / "a.tar", "w") as archive:
        for member in ESCAPES[name]:
            member.size = 0 if member.islnk() or member.issym() else 4
            archive.addfile(member, io.BytesIO(b"evil"))
    before = sorted(path for path in tmp_path.rglob("*"))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            origin = (tmp_path / "a.tar").as_uri()
            keras.utils.get_file("a.tar", origin, extract=True, cache_dir=cache)
        except (OSError, ValueError, tarfile.TarError):
            pass  # Refused: no worse than left out.
    assert all(file.read_text() == "secret" for file in outside)
    folder = cache / "datasets" / "a_extracted"
    new = {path for path in tmp_path.rglob("*") if path not in before}
    strange = [path for path in new if path != folder and not path.resolve().is_relative_to(folder)]
    assert strange == [cache / "datasets" / "a.tar"]
    assert not Path("/tmp/oxhorn-escaped").exists()


def test_h9_a_name_is_no_path(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("a")
    with pytest.raises(ValueError, match="Paths are no longer accepted as the `fname` argument"):
        keras.utils.get_file("../a", (tmp_path / "a").as_uri(), cache_dir=tmp_path / "cache")


def test_h18_no_pickle_is_opened(tmp_path: Path) -> None:
    import pickle

    path = tmp_path / "weights.pt"
    path.write_bytes(pickle.dumps({"kernel": [1.0]}))
    model = Sequential([layers.Input((3,)), layers.Dense(1)])
    for load in (load_model, model.load_weights):
        assert "weights.pt" in refused(lambda: load(path), path)
