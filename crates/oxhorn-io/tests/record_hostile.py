"""Small files that must be refused: `python record.py hostile`.

Their names begin with the number of an attack that is known, or of its like: h01 to h07 and h13 to
h15 configs that name code, other files or the network; h10 shapes that nothing is behind; h11 what
HDF5 finds in other files; h12 members larger than what is stored; h16 and h17 pickles; h19 headers
of safetensors; h20 what else is not as it should be.
"""

import base64
import io
import json
import marshal
import pathlib
import struct
import zipfile

import h5py
import numpy as np

HOSTILE = pathlib.Path(__file__).parent / "hostile"
FLOATS = np.arange(4, dtype="float32")


def h5(name, fill, libver="earliest"):
    """A file of HDF5 that `fill` fills."""
    with h5py.File(HOSTILE / name, "w", libver=libver) as file:
        fill(file)


def archive(name, config, *others, metadata="{}"):
    """A `.keras` file with a config, as text or as JSON, and weights of nothing."""
    weights = io.BytesIO()
    with h5py.File(weights, "w") as file:
        file.create_group("vars")
    text = config if isinstance(config, str) else json.dumps(config)
    with zipfile.ZipFile(HOSTILE / name, "w") as file:
        for member, content in [("metadata.json", metadata), ("config.json", text), *others]:
            file.writestr(zipfile.ZipInfo(member), content)
        file.writestr(zipfile.ZipInfo("model.weights.h5"), weights.getvalue())


def sequential(*layers):
    """The config of a model of these layers."""
    first = keras_object(
        "keras.layers", "InputLayer", {"batch_shape": [None, 3], "dtype": "float32", "name": "x"}
    )
    return keras_object("keras", "Sequential", {"name": "sequential", "layers": [first, *layers]})


def keras_object(module, class_name, config, registered_name=None):
    """An object as Keras describes one."""
    return {
        "module": module,
        "class_name": class_name,
        "config": config,
        "registered_name": registered_name,
    }


def marshalled():
    """Bytecode that would print, as Keras keeps functions."""
    code = marshal.dumps(compile("lambda x: print('run') or x", "hostile", "eval"))
    return {
        "class_name": "__lambda__",
        "config": {"code": base64.b64encode(code).decode(), "defaults": None, "closure": None},
    }


def record_configs():
    """What a config asks for: H1 to H7, H13 to H15."""
    layer = "keras.layers"
    lambda_layer = keras_object(
        layer, "Lambda", {"name": "f", "function": marshalled(), "arguments": {}}
    )
    archive("h01_lambda.keras", sequential(lambda_layer))
    archive(
        "h02_any_function.keras", sequential(keras_object("os", "system", {"command": "echo run"}))
    )
    function = {
        "module": "builtins",
        "class_name": "function",
        "config": "eval",
        "registered_name": "function",
    }
    dense = {"name": "dense", "units": 2, "activation": function}
    archive("h02_function_as_activation.keras", sequential(keras_object(layer, "Dense", dense)))
    gadget = function | {"module": "keras.utils", "config": "get_file"}
    archive(
        "h03_gadget.keras", sequential(keras_object(layer, "Dense", dense | {"activation": gadget}))
    )
    unsafe = keras_object("keras.config", "enable_unsafe_deserialization", {})
    archive("h04_unsafe_first.keras", sequential(unsafe, lambda_layer))
    torch = {
        "name": "t",
        "module": {"class_name": "__bytes__", "config": {"value": "gASVAA=="}},
        "output_shape": None,
    }
    archive("h06_torch.keras", sequential(keras_object(layer, "TorchModuleWrapper", torch)))
    lookup = {"name": "s", "vocabulary": "/etc/passwd", "output_mode": "int"}
    archive("h07_lookup.keras", sequential(keras_object(layer, "StringLookup", lookup)))
    archive(
        "h07_remote.keras",
        sequential(
            keras_object(layer, "IntegerLookup", lookup | {"vocabulary": "file:///etc/passwd"})
        ),
    )
    archive(
        "h13_saved_model.keras",
        sequential(
            keras_object(layer, "TFSMLayer", {"filepath": "/tmp/model", "call_endpoint": "serve"})
        ),
    )
    wrapped = {"name": "td", "layer": lambda_layer}
    archive("h14_wrapped.keras", sequential(keras_object(layer, "TimeDistributed", wrapped)))
    archive(
        "h15_legacy_path.keras",
        {"class_name": "Sequential", "config": [{"class_name": "os>system", "config": {}}]},
    )
    archive(
        "h20_units.keras",
        sequential(keras_object(layer, "Dense", dense | {"units": 2**62, "activation": "linear"})),
    )
    node = {
        "args": [
            keras_object(
                "keras",
                "__keras_tensor__",
                {"shape": [None, 3], "dtype": "float32", "keras_history": ["a", 0, 0]},
            )
        ],
        "kwargs": {},
    }
    cyclic = keras_object(layer, "Activation", {"name": "a", "activation": "relu"}) | {
        "name": "a",
        "inbound_nodes": [node],
    }
    functional = {
        "name": "f",
        "trainable": True,
        "layers": [cyclic],
        "input_layers": [["a", 0, 0]],
        "output_layers": [["a", 0, 0]],
    }
    archive(
        "h20_cycle.keras", keras_object("keras.src.models.functional", "Functional", functional)
    )

    def legacy(file):
        config = {
            "class_name": "Lambda",
            "config": {"name": "f", "function": [marshalled()["config"]["code"], None, None]},
        }
        file.attrs["model_config"] = json.dumps(
            {"class_name": "Sequential", "config": {"layers": [config]}}
        )
        file.create_group("model_weights")

    h5("h05_legacy_lambda.h5", legacy)


def record_h5():
    """What HDF5 can do besides holding numbers: H10, H11, H20."""
    h5(
        "h10_shape.h5",
        lambda file: file.create_dataset(
            "vars/0", (2**50,), "float64", chunks=(1024,), compression="gzip"
        ),
    )
    h5("h10_unwritten.h5", lambda file: file.create_dataset("vars/0", (2**20, 2**30), "float32"))
    h5(
        "h10_empty.h5",
        lambda file: file.create_dataset(
            "vars/0", (2**60, 0, 2**60), "float32", chunks=(1, 1, 1), maxshape=(None,) * 3
        ),
    )
    for libver in ["earliest", "latest"]:
        form = "old" if libver == "earliest" else "new"
        h5(
            f"h11_soft_{form}.h5",
            lambda file: file.__setitem__("vars/0", h5py.SoftLink("/elsewhere")),
            libver,
        )
        h5(
            f"h11_external_{form}.h5",
            lambda file: file.__setitem__("vars/0", h5py.ExternalLink("/etc/passwd", "/x")),
            libver,
        )
    storage = [("/etc/passwd", 0, 16)]
    h5(
        "h11_storage.h5",
        lambda file: file.create_dataset("vars/0", (4,), "float32", external=storage),
    )

    def virtual(file):
        layout = h5py.VirtualLayout((4,), "float32")
        layout[:] = h5py.VirtualSource("/etc/passwd", "x", (4,))
        file.create_virtual_dataset("vars/0", layout)

    h5("h11_virtual.h5", virtual, "latest")
    h5(
        "h20_second_name.h5",
        lambda file: file.__setitem__("b", file.create_dataset("a", data=FLOATS)),
    )
    h5("h20_cycle.h5", lambda file: file.__setitem__("a/b", file.create_group("a")))
    h5("h20_deep.h5", lambda file: file.create_group("/".join("a" * 65)), "latest")
    h5(
        "h20_heap.h5",
        lambda file: [file.create_dataset(str(it), data=it) for it in range(9)],
        "latest",
    )
    h5(
        "h20_attributes.h5",
        lambda file: [file.attrs.__setitem__(str(it), it) for it in range(9)],
        "latest",
    )
    h5("h20_texts.h5", lambda file: file.create_dataset("vars/0", data=["a", "b"]))
    h5("h20_records.h5", lambda file: file.create_dataset("vars/0", data=np.zeros(2, "f4,i4")))
    h5(
        "h20_references.h5",
        lambda file: file.create_dataset("vars/0", data=file.ref, dtype=h5py.ref_dtype),
    )
    h5("h20_opaque.h5", lambda file: file.create_dataset("vars/0", data=np.zeros(2, "V2")))
    h5(
        "h20_enumeration.h5",
        lambda file: file.create_dataset(
            "vars/0", (2,), h5py.enum_dtype({"a": 0, "b": 5}, "i1"), data=[0, 5]
        ),
    )
    h5("h20_complex.h5", lambda file: file.create_dataset("vars/0", data=np.zeros(2, "complex64")))
    h5("h20_no_shape.h5", lambda file: file.create_dataset("vars/0", data=h5py.Empty("f4")))
    h5(
        "h20_filter.h5",
        lambda file: file.create_dataset("vars/0", data=np.arange(4), scaleoffset=2),
    )
    h5(
        "h20_named_type.h5",
        lambda file: [
            file.__setitem__("t", np.dtype("f4")),
            file.create_dataset("vars/0", (2,), file["t"]),
        ],
    )
    h5(
        "h20_chunks.h5",
        lambda file: file.create_dataset("vars/0", data=FLOATS, chunks=(2,)),
        "latest",
    )


def npy(header, data=b"", version=1):
    """A `.npy` with any header."""
    text = header.encode()
    size = struct.pack("<H" if version == 1 else "<I", len(text))
    return b"\x93NUMPY" + bytes([version, 0]) + size + text + data


def record_npz():
    """What an NPZ can declare: H12, H16, H20."""

    def npz(name, content):
        with zipfile.ZipFile(HOSTILE / name, "w") as file:
            file.writestr(zipfile.ZipInfo("w.npy"), content)

    def header(shape, descr="'<f4'"):
        return f"{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}, }}\n"

    npz("h12_declares_more.npz", npy(header("(1099511627776,)"), b"\0" * 8))
    npz("h12_overflows.npz", npy(header("(4294967296, 4294967296, 4)"), b""))
    npz("h12_overflows_at_zero.npz", npy(header("(4294967296, 0, 4294967296, 4)"), b""))
    objects = io.BytesIO()
    np.save(objects, np.array([print], dtype=object), allow_pickle=True)
    npz("h16_pickle.npz", objects.getvalue())
    npz("h20_negative.npz", npy(header("(-1,)"), b"\0" * 4))
    npz("h20_nan.npz", npy(header("(nan,)"), b"\0" * 4))
    npz("h20_expression.npz", npy(header("(__import__('os').getpid(),)"), b"\0" * 4))
    npz(
        "h20_twice.npz",
        npy("{'descr': '<f4', 'descr': '<f8', 'fortran_order': False, 'shape': ()}", b"\0" * 8),
    )
    npz("h20_long_header.npz", npy(" " * 5000))
    npz("h20_no_header.npz", b"\x93NUMPY")
    npz("h20_records.npz", npy(header("()", "[('a', '<f4')]"), b"\0" * 4))
    npz("h20_bool.npz", npy(header("(1,)", "'|b1'"), b"\2"))
    with zipfile.ZipFile(HOSTILE / "h20_name_twice.npz", "w") as file:
        for value in [1.0, 2.0]:
            file.writestr(zipfile.ZipInfo("w.npy"), npy(header("()"), struct.pack("<f", value)))


def record_zips():
    """What a ZIP can be: H17, H20."""
    with zipfile.ZipFile(HOSTILE / "h17_torch.keras", "w") as file:
        file.writestr(
            zipfile.ZipInfo("archive/data.pkl"), b"\x80\x02cos\nsystem\nX\x04\0\0\0echo\x85R."
        )
    archive("h20_config_twice.keras", {}, ("config.json", "[]"))
    archive("h20_asset.keras", sequential(), ("assets/layers/lookup/vocabulary.txt", "a\n"))
    archive("h20_deep.keras", "[" * 5000 + "]" * 5000)
    archive("h20_key_twice.keras", '{"class_name": "Sequential", "class_name": "Lambda"}')
    archive("h20_number.keras", '{"rate": 1e999}')
    archive("h20_nan.keras", '{"rate": NaN}')
    with zipfile.ZipFile(HOSTILE / "h20_packed_otherwise.keras", "w", zipfile.ZIP_BZIP2) as file:
        for name in ["metadata.json", "config.json", "model.weights.h5"]:
            file.writestr(name, b"{}")
    (HOSTILE / "h20_no_zip.keras").write_bytes(b"\x80\x04}.")


def record_safetensors():
    """What a header of safetensors can say: H19."""

    def file(name, header, data=b"", length=None):
        text = header if isinstance(header, bytes) else json.dumps(header).encode()
        (HOSTILE / f"h19_{name}.safetensors").write_bytes(
            struct.pack("<Q", len(text) if length is None else length) + text + data
        )

    def entry(offsets, shape=(1,), dtype="F32"):
        return {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets)}

    file("header_length", {}, length=2**40)
    file("header_length_wraps", {}, length=2**64 - 8)
    file("negative", {"a": entry((-4, 0))})
    file("outside", {"a": entry((0, 4))})
    file("overlap", {"a": entry((0, 4)), "b": entry((2, 6))}, b"\0" * 6)
    file("same_bytes", {"a": entry((0, 4)), "b": entry((0, 4))}, b"\0" * 4)
    file("gap", {"a": entry((0, 4)), "b": entry((8, 12))}, b"\0" * 12)
    file("rest", {"a": entry((0, 4))}, b"\0" * 8)
    file("shape", {"a": entry((0, 4), (2,))}, b"\0" * 4)
    file("product_wraps", {"a": entry((0, 4), (4194305, 4194305, 211106198978564))}, b"\0" * 4)
    file("type", {"a": entry((0, 4), dtype="OBJECT")}, b"\0" * 4)
    file(
        "name_twice",
        b'{"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]},"a":{"dtype":"I32","shape":[],"data_offsets":[0,4]}}',
        b"\0" * 4,
    )
    file("deep", b'{"__metadata__":' + b"[" * 3000 + b"]" * 3000 + b"}")
    file("metadata", {"__metadata__": {"a": 5}})
    file("no_json", b"{'a': 1}")
    file("fraction", {"a": entry((0, 4), (1.0,))}, b"\0" * 4)


def record():
    HOSTILE.mkdir(exist_ok=True)
    for old in HOSTILE.iterdir():
        old.unlink()
    for step in [record_configs, record_h5, record_npz, record_zips, record_safetensors]:
        step()
