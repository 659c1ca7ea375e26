"""What Keras, h5py, NumPy and safetensors write, recorded, and what they read of ours, checked.

`python record.py recorded` records. `python record.py check FOLDER` reads the files that the test
`writes_for_peers` leaves in a folder, with each of the four, and says where they differ from what
they should hold. `python record.py hostile` writes the files that must be refused.

Needs the packages of golden/requirements.txt, and safetensors 0.8.0.
"""

import json
import os
import pathlib
import sys
import zipfile

os.environ["KERAS_BACKEND"] = "jax"

import h5py
import keras
import ml_dtypes
import numpy as np
import safetensors
import safetensors.numpy

HERE = pathlib.Path(__file__).parent
RECORDED = HERE / "recorded"


def model():
    """A network with every kind of variable: trained, moving, and an optimizer's."""
    keras.utils.set_random_seed(7)
    network = keras.Sequential(
        [
            keras.Input((5,)),
            keras.layers.Dense(3, activation="relu", name="first"),
            keras.layers.BatchNormalization(),
            keras.layers.Dropout(0.4),
            keras.layers.Dense(2, activation="softmax", name="second"),
        ]
    )
    network.compile("adam", "categorical_crossentropy", metrics=["accuracy"])
    generator = np.random.default_rng(7)
    x = generator.normal(size=(12, 5)).astype("float32")
    network.fit(x, np.eye(2, dtype="float32")[[0, 1] * 6], epochs=1, batch_size=4, verbose=0)
    return network


def kinds():
    """Tensors of every element type and of odd shapes, the same in all formats."""
    values = {
        "bool": np.array([True, False, True]),
        "int8": np.array([[-128, 127]], "int8"),
        "int16": np.array([-32768, 5, 32767], "int16"),
        "int32": np.array([[-(2**31)], [2**31 - 1]], "int32"),
        "int64": np.array(-(2**63), "int64"),
        "uint8": np.arange(7, dtype="uint8"),
        "uint16": np.array([65535], "uint16"),
        "uint32": np.array([2**32 - 1, 0], "uint32"),
        "uint64": np.array([2**64 - 1], "uint64"),
        "float16": np.array([[1.5, -0.0, np.inf]], "float16"),
        "float32": np.arange(6, dtype="float32").reshape(2, 3) / 7,
        "float64": np.array([np.pi, 5e-324]),
        "empty": np.zeros((0, 3), "float32"),
        "prime": np.linspace(-1, 1, 13 * 11, dtype="float32").reshape(13, 11),
    }
    return values | {"bfloat16": np.array([1.5, -2.0, 0.1], ml_dtypes.bfloat16)}


def plain(array):
    """A tensor as JSON: what it is, and its bytes."""
    array = np.asarray(array)
    little = np.ascontiguousarray(
        array.astype(array.dtype.newbyteorder("<")) if array.dtype.kind != "V" else array
    )
    return {"dtype": array.dtype.name, "shape": list(array.shape), "hex": little.tobytes().hex()}


def tree(group):
    """A file of HDF5 as JSON."""
    described = {"attributes": {}, "members": {}}
    for name, value in sorted(group.attrs.items()):
        if isinstance(value, bytes):
            value = value.decode()
        if isinstance(value, np.ndarray) and value.dtype.kind in "SO":
            value = [it.decode() if isinstance(it, bytes) else it for it in value]
        described["attributes"][name] = value if isinstance(value, (str, list)) else plain(value)
    for name, member in group.items():
        if isinstance(member, h5py.Group):
            described["members"][name] = tree(member)
        elif member.attrs.get("dtype") == "bfloat16":
            described["members"][name] = plain(np.array(member, dtype=ml_dtypes.bfloat16))
        else:
            described["members"][name] = plain(member[()])
    return described


def record_h5_kinds():
    with h5py.File(RECORDED / "kinds.h5", "w") as file:
        for name, array in kinds().items():
            file.create_dataset(f"plain/{name}", data=array)
        file["plain/bfloat16"].attrs["dtype"] = "bfloat16"
        prime = kinds()["prime"]
        packed = file.create_group("packed")
        packed.create_dataset("gzip", data=prime, compression="gzip")
        packed.create_dataset(
            "shuffled", data=prime, compression="gzip", shuffle=True, fletcher32=True
        )
        packed.create_dataset("chunked", data=prime, chunks=(4, 5))
        packed.create_dataset("big", data=prime.astype(">f4"))
        packed.create_dataset("big_int", data=np.arange(3, dtype=">i8"))
        file.attrs["text"] = "naïve"
        file.attrs["bytes"] = np.bytes_(b"fixed")
        file.attrs["texts"] = ["one", "two", ""]
        file.attrs["fixed"] = np.array([b"a", b"bcd"])
        file.attrs["number"] = np.float32(0.5)
        file.attrs["numbers"] = np.arange(3)
    with h5py.File(RECORDED / "latest.h5", "w", libver="latest") as file:
        for name in ["float32", "int64", "empty"]:
            file.create_dataset(f"deep/er/{name}", data=kinds()[name])
        file["deep"].attrs["name"] = "x"


def record():
    """What others write, and what it holds."""
    network = model()
    network.save(RECORDED / "model.keras")
    network.save_weights(RECORDED / "model.weights.h5")
    network.save(RECORDED / "legacy.h5")
    record_h5_kinds()
    numpy_kinds = {name: it for name, it in kinds().items() if name != "bfloat16"}
    prime = kinds()["prime"]
    arrays = numpy_kinds | {
        "layers/dense/vars/0": prime,
        "fortran": np.asfortranarray(prime.reshape(11, 13, 1)),
    }
    np.savez(RECORDED / "kinds.npz", **arrays)
    np.savez_compressed(RECORDED / "packed.npz", **{"layers/dense/vars/0": prime})
    safetensors.numpy.save_file(kinds(), RECORDED / "kinds.safetensors", {"format": "np"})
    expected = {"arrays": {name: plain(it) for name, it in (arrays | kinds()).items()}}
    for name in ["model.weights.h5", "legacy.h5", "kinds.h5", "latest.h5"]:
        with h5py.File(RECORDED / name, "r") as file:
            expected[name] = tree(file)
    expected["config"] = json.loads(zipfile.ZipFile(RECORDED / "model.keras").read("config.json"))
    (RECORDED / "expected.json").write_text(json.dumps(expected, separators=(",", ":")) + "\n")


def same(what, found, expected):
    """Ends the program if two arrays differ in type, shape or any bit."""
    found = plain(found)
    if found != plain(expected):
        sys.exit(f"{what}: found {found}, expected {plain(expected)}")


def check(folder):
    """What others read of ours."""
    folder = pathlib.Path(folder)
    first, second = [keras.models.load_model(it / "model.keras") for it in (RECORDED, folder)]
    x = np.random.default_rng(1).normal(size=(3, 5)).astype("float32")
    same("predictions", second.predict(x, verbose=0), first.predict(x, verbose=0))
    for one, two in zip(first.optimizer.variables, second.optimizer.variables, strict=True):
        same(one.path, two.value, one.value)
    second.set_weights([0 * it for it in second.get_weights()])
    second.load_weights(folder / "model.weights.h5")
    same("weights", second.predict(x, verbose=0), first.predict(x, verbose=0))
    legacy = keras.models.load_model(folder / "legacy.h5")
    same("legacy", legacy.predict(x, verbose=0), first.predict(x, verbose=0))
    with (
        h5py.File(folder / "kinds.h5", "r") as ours,
        h5py.File(RECORDED / "kinds.h5", "r") as theirs,
    ):
        # Order and form of bytes are free; what is read must be the same.
        if tree(ours) != tree(theirs):
            sys.exit(f"kinds.h5: {tree(ours)}")
        layouts = {it.id.get_create_plist().get_layout() for it in ours["plain"].values()}
        if layouts != {h5py.h5d.CONTIGUOUS}:
            sys.exit(f"kinds.h5: layouts {layouts}")
    arrays = np.load(folder / "kinds.npz")
    for name, array in np.load(RECORDED / "kinds.npz").items():
        same(name, arrays[name], array)
    with safetensors.safe_open(folder / "kinds.safetensors", "numpy") as file:
        if file.metadata()["format"] != "np":
            sys.exit(f"metadata {file.metadata()}")
    for name, array in safetensors.numpy.load_file(folder / "kinds.safetensors").items():
        same(name, array, kinds()[name])
    print("Keras, h5py, NumPy and safetensors read ours")


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["recorded"]:
            record()
        case ["check", folder]:
            check(folder)
        case ["hostile"]:
            import record_hostile

            record_hostile.record()
        case _:
            sys.exit(__doc__)
