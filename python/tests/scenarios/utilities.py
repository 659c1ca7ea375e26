"""Scenarios of `utils` and `config`: what functions return, refuse, print and write."""

from __future__ import annotations

import io
import os
import random
import tarfile
import zipfile

import numpy as np

from scenarios._stand_ins import clock


def _attempt(function, *arguments, **settings):
    try:
        result = function(*arguments, **settings)
    except (ValueError, TypeError, NotImplementedError, OSError) as error:
        return f"{type(error).__name__}: {error}"
    return (
        (result.dtype.name, result.shape, result.tolist()) if hasattr(result, "dtype") else result
    )


def to_categorical_makes_rows(keras):
    inputs = [[0, 2, 1], [[0], [1]], [[1, 0], [2, 3]], 2, [[[1]]], np.array([1.0, 0.0]), (3,)]
    return [_attempt(keras.utils.to_categorical, x) for x in inputs]


def to_categorical_takes_the_number_of_classes(keras):
    convert = keras.utils.to_categorical
    return [_attempt(convert, x, 4) for x in ([], [0], [[3, 1]], np.zeros((0, 1)))]


def normalize_divides_by_norms(keras):
    x = np.array([[3.0, 4.0], [0.0, 0.0], [-5.0, 12.0]])
    inputs = [(x,), (x, -1, 1), (x, 1, np.inf), (np.array([3.0, 4.0]),), (x[None], 1), (x[:0],)]
    return [_attempt(keras.utils.normalize, *arguments) for arguments in inputs]


def pad_sequences_pads_and_truncates(keras):
    sequences = [[1, 2, 3], [4], [], [5, 6, 7, 8, 9]]
    settings = [
        *({}, {"maxlen": 3}, {"maxlen": 7, "padding": "post"}, {"maxlen": 2, "truncating": "post"}),
        *({"maxlen": 1, "dtype": "float32", "value": -1.5}, {"padding": "post", "value": 9}),
        *({"maxlen": 2, "padding": "post", "truncating": "post"}, {"dtype": object, "value": "x"}),
    ]
    return [_attempt(keras.utils.pad_sequences, sequences, **s) for s in settings]


def pad_sequences_keeps_the_shape_of_steps(keras):
    sequences = [[], np.arange(6).reshape(3, 2), [[7, 8]]]
    return _attempt(keras.utils.pad_sequences, sequences, maxlen=2)


def pad_sequences_refuses(keras):
    calls = [
        *((iter([[1]]), {}), ([1, 2], {}), ([[1]], {"padding": "left"}), ([[1]], {"value": "x"})),
        *(([[1]], {"truncating": "left"}), ([[[1, 2]], [[1]]], {})),
    ]
    results = [_attempt(keras.utils.pad_sequences, s, **settings) for s, settings in calls[1:]]
    return results, _attempt(keras.utils.pad_sequences, calls[0][0])


def pad_sequences_of_texts(keras):
    return _attempt(keras.utils.pad_sequences, [["a"], ["bc", "d"]], dtype="<U2", value="-")


def pack_x_y_sample_weight_packs(keras):
    inputs = [(1,), ((1,),), ([1],), (1, 2), (1, 2, 3), (1, None, 3), ({"a": 1}, 2)]
    return [keras.utils.pack_x_y_sample_weight(*i) for i in inputs]


def unpack_x_y_sample_weight_unpacks(keras):
    inputs = [1, (1,), [1], (1, 2), [1, 2, 3], {"a": 1}, (1, 2, 3, 4), [1, 2, 3, 4], ()]
    return [_attempt(keras.utils.unpack_x_y_sample_weight, i) for i in inputs]


def standardize_dtype_knows_many_names(keras):
    dtypes = [None, "float16", "string", bool, int, float, str, np.float32, np.dtype("uint8")]
    dtypes += [np.bool_, np.int64, "float", "uint1", complex, object, ["float32"], 7]
    return [_attempt(keras.utils.standardize_dtype, d) for d in dtypes]


def set_random_seed_seeds_python_and_numpy(keras):
    keras.utils.set_random_seed(1337)
    return random.random(), float(np.random.rand()), random.randint(0, 99)


def set_random_seed_refuses_what_is_no_integer(keras):
    return [_attempt(keras.utils.set_random_seed, s) for s in (1.5, "1", None)]


def clear_session_forgets_switches(keras):
    keras.utils.disable_interactive_logging()
    before = keras.utils.is_interactive_logging_enabled()
    keras.utils.Progbar(1).update(1)
    keras.utils.clear_session()
    return before, keras.utils.is_interactive_logging_enabled()


def registered_objects_are_found_by_name(keras):
    saving, utils = keras.utils, keras.utils

    @saving.register_keras_serializable()
    class First:
        def get_config(self):
            return {}

    @saving.register_keras_serializable("mine", name="other")
    def second(x):
        return x

    class Third:
        pass

    found = [utils.get_registered_object("Custom>First") is First]
    found += [utils.get_registered_object("mine>other") is second]
    found += [utils.get_registered_object("nothing"), utils.get_registered_name(First)]
    found += [utils.get_registered_name(second), utils.get_registered_name(Third)]
    found += [utils.get_registered_object("a", {"a": 1}, {"a": 2})]
    found += [utils.get_registered_object("a", None, {"a": 2})]
    found += [utils.get_custom_objects()["mine>other"] is second]
    return found


def registering_a_class_without_config_is_refused(keras):
    keras.utils.register_keras_serializable()(type("Plain", (), {}))


def scopes_know_their_objects_alone(keras):
    utils = keras.utils
    seen = []
    with utils.custom_object_scope({"a": 1, "b": 2}):
        seen.append(utils.get_registered_object("a", {"a": 9}))
        with utils.CustomObjectScope({"b": 3}):
            seen.append([utils.get_registered_object(n) for n in "ab"])
        seen.append([utils.get_registered_object(n) for n in "ab"])
    with utils.custom_object_scope(None) as scope:
        seen.append(scope.custom_objects)
    return seen, utils.get_registered_object("a")


class _Squares:
    def __len__(self):
        return 3

    def __getitem__(self, index):
        return index**2


def py_dataset_iterates_over_its_batches(keras):
    squares = type("Squares", (_Squares, keras.utils.PyDataset), {})(workers=2, max_queue_size=7)
    settings = squares.workers, squares.use_multiprocessing, squares.max_queue_size
    squares.workers = 5
    return list(squares), squares.num_batches, settings, squares.workers


def py_dataset_without_end_iterates_for_ever(keras):
    class Naturals(keras.utils.Sequence):
        num_batches = None

        def __getitem__(self, index):
            return index

    naturals = Naturals()
    return [value for value, _ in zip(naturals, range(4))], naturals.on_epoch_end()


def py_dataset_wants_its_initializer_called(keras):
    class Lazy(_Squares, keras.utils.PyDataset):
        def __init__(self):
            pass

    lazy = Lazy()
    return lazy.workers, lazy.use_multiprocessing, lazy.max_queue_size


def py_dataset_wants_a_length(keras):
    keras.utils.PyDataset().num_batches  # noqa: B018


def split_dataset_refuses(keras):
    x = np.zeros((10, 2))
    sizes = [
        *((None, None), (0, 0), (0, None), (10, None), (1.5, None), (None, 1.0), (None, -1)),
        *((0.6, 0.6), (0.01, None), ("1", "2")),
    ]
    results = [_attempt(keras.utils.split_dataset, x, *s) for s in sizes]
    results += [_attempt(keras.utils.split_dataset, d, 0.5) for d in ([], [x, 1], (x, x[1:]), 3)]
    return results


def timeseries_refuses(keras):
    data = np.zeros(10)
    cases = [
        *({"start_index": -1}, {"start_index": 10}, {"start_index": 5, "end_index": 5}),
        *({"end_index": 10}, {"end_index": -2}, {"sampling_rate": 0}, {"sampling_rate": 10}),
        *({"sequence_stride": 0}, {"sequence_stride": 10}, {"format": "list"}),
    ]
    make = keras.utils.timeseries_dataset_from_array
    return [_attempt(make, data, None, 3, **settings) for settings in cases]


def _serve(name, content):
    os.makedirs("web", exist_ok=True)
    with open(os.path.join("web", name), "wb") as file:
        file.write(content)
    return f"file://{os.getcwd()}/web/{name}"


def _fetch(keras, *arguments, **settings):
    os.makedirs("cache", exist_ok=True)
    with clock():
        path = _attempt(keras.utils.get_file, *arguments, cache_dir="cache", **settings)
    return path.replace(os.getcwd(), "HERE")


def _listing(folder):
    return sorted(os.path.join(r, f) for r, _, files in os.walk(folder) for f in files)


def _without_place(scenario, keras, capture):
    import contextlib

    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        result = scenario(keras)
    capture.append(printed.getvalue().replace(os.getcwd(), "HERE"))
    return result


def get_file_downloads_once(keras):
    def fetch(keras):
        origin = _serve("data.bin", bytes(20000))
        first = _fetch(keras, "local.bin", origin)
        os.remove("web/data.bin")
        return first, _fetch(keras, "local.bin", origin), os.path.getsize(first)

    printed = []
    return _without_place(fetch, keras, printed), printed


def get_file_checks_what_it_has(keras):
    def fetch(keras):
        origin = _serve("data.bin", b"whole")
        os.makedirs("cache/sub")
        with open("cache/sub/data.bin", "wb") as file:
            file.write(b"torn")
        md5 = "ffb54b0a6e44e9db6b25b9ba1b2d1bc4"
        wrong = _fetch(keras, origin=origin, cache_subdir="sub", md5_hash=md5)
        sha = "a5ee5ef0a7e7a1a7ac39cb2e1dc2bc7c3e8a86e5ab8ba12dbe9ca1a4e7b0aa0a"
        return wrong, _fetch(keras, origin=origin, cache_subdir="sub", file_hash=sha)

    printed = []
    return _without_place(fetch, keras, printed), printed, _listing("cache")


def get_file_refuses(keras):
    return [
        _attempt(keras.utils.get_file, "a"),
        _attempt(keras.utils.get_file, "a/b", "file:///c", cache_dir="cache"),
        _attempt(keras.utils.get_file, None, "http://localhost/", cache_dir="cache"),
    ]


def _archives():
    with tarfile.open("inner.tar.gz", "w:gz") as archive:
        for name in ("safe/a.txt", "../unsafe.txt", "b.txt"):
            member = tarfile.TarInfo(name)
            member.size = 2
            archive.addfile(member, io.BytesIO(b"hi"))
        for name, target in (("safe/link", "a.txt"), ("evil", "../../elsewhere")):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = tarfile.SYMTYPE, target
            archive.addfile(member)
    with zipfile.ZipFile("inner.zip", "w") as archive:
        archive.writestr("safe/a.txt", "hi")
        archive.writestr("../unsafe.txt", "hi")
    results = []
    for name in ("inner.tar.gz", "inner.zip"):
        with open(name, "rb") as file:
            results.append(_serve(name, file.read()))
    return results


def get_file_unpacks_safe_members(keras):
    def fetch(keras):
        tar, zipped = _archives()
        paths = [
            _fetch(keras, "t.tar.gz", tar, extract=True),
            _fetch(keras, None, zipped, extract=True),
        ]
        paths.append(_fetch(keras, "plain", tar, untar=True))
        paths.append(_fetch(keras, "z.zip", zipped, extract=True, archive_format="tar"))
        return paths

    printed = []
    return _without_place(fetch, keras, printed), printed, _listing("cache"), os.path.exists("evil")


def config_says_what_is_set(keras):
    config = keras.config
    before = config.epsilon(), config.floatx(), config.image_data_format()
    config.set_epsilon(1e-5)
    config.set_image_data_format("Channels_First")
    after = config.epsilon(), config.image_data_format()
    config.set_epsilon(1e-7)
    config.set_image_data_format("channels_last")
    config.set_floatx("float32")
    limits = config.max_epochs(), config.max_steps_per_epoch()
    config.set_max_epochs(3)
    config.set_max_steps_per_epoch(4)
    limits += config.max_epochs(), config.max_steps_per_epoch()
    config.set_max_epochs(None)
    config.set_max_steps_per_epoch(None)
    return before, after, limits, config.is_nnx_enabled(), config.is_traceback_filtering_enabled()


def config_refuses_other_formats(keras):
    return _attempt(keras.config.set_image_data_format, "channels_middle")


def config_knows_its_policy(keras):
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float32")
    keras.config.set_dtype_policy(policy)
    words = policy.name, policy.compute_dtype, policy.variable_dtype, repr(policy)
    return words, policy.get_config(), policy == keras.config.dtype_policy(), policy == "float32"


def config_refuses_unknown_policies(keras):
    return [_attempt(keras.config.set_dtype_policy, p) for p in (7, "float31")]
