"""`oxhorn run` runs a script as Python would, and its imports of Keras give Oxhorn."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from textwrap import dedent

import pytest


def oxhorn(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The command with these arguments, as its entry point calls it."""
    command = "import sys; from oxhorn.run import main; sys.argv[0] = 'oxhorn'; main()"
    return subprocess.run(
        [sys.executable, "-c", command, *arguments], capture_output=True, text=True, cwd=cwd
    )


def ran(folder: Path, text: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """What becomes of a script of this text."""
    (folder / "script.py").write_text(dedent(text))
    return oxhorn("run", "script.py", *arguments, cwd=folder)


def printed(folder: Path, text: str, *arguments: str) -> str:
    """What a script prints that runs to its end."""
    done = ran(folder, text, *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def complaint(folder: Path, text: str) -> str:
    """The last line of what a script that fails says."""
    done = ran(folder, text)
    assert done.returncode == 1, done
    return done.stderr.splitlines()[-1]


def test_the_script_sees_what_it_sees_under_python(tmp_path: Path) -> None:
    text = """
        import sys
        import beside
        print(sys.argv, __name__, __file__, sys.path[0], __spec__, __package__, __builtins__)
        print(sys.modules["__main__"].beside is beside, "annotations" in dir())
    """
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "beside.py").write_text("")
    (folder / "script.py").write_text(dedent(text))
    arguments = ["folder/script.py", "--an", "argument"]
    python = subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert oxhorn("run", *arguments, cwd=tmp_path).stdout == python.stdout
    module = subprocess.run(
        [sys.executable, "-m", "oxhorn.run", *arguments],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert (module.stdout, module.stderr) == (python.stdout, "")


@pytest.mark.parametrize(
    "imports",
    [
        "import keras",
        "import tf_keras as keras",
        "import tensorflow as tf; keras = tf.keras",
        "from tensorflow import keras",
        "import tensorflow.keras as keras",
    ],
)
def test_keras_is_oxhorn_by_whichever_name(tmp_path: Path, imports: str) -> None:
    text = f"{imports}\nimport oxhorn\nprint(keras is oxhorn, keras.layers is oxhorn.layers)"
    assert printed(tmp_path, text) == "True True\n"


@pytest.mark.parametrize(
    "imports",
    [
        "from keras.layers import Dense",
        "from tensorflow.keras.layers import Dense",
        "from tf_keras.layers import Dense",
        "import keras.layers; Dense = keras.layers.Dense",
        "import tensorflow.keras.layers as kl; Dense = kl.Dense",
        "from tensorflow.keras import layers; Dense = layers.Dense",
        "from keras import layers; Dense = layers.Dense",
    ],
)
def test_what_is_imported_from_its_modules_is_the_same_object(tmp_path: Path, imports: str) -> None:
    text = f"{imports}\nimport oxhorn.layers\nprint(Dense is oxhorn.layers.Dense)"
    assert printed(tmp_path, text) == "True\n"


def test_modules_keep_their_own_names(tmp_path: Path) -> None:
    text = """
        import keras.optimizers.schedules as one, tensorflow.keras.optimizers.schedules as other
        import sys
        print(one is other, one.__name__, one.__spec__.name)
        print(sys.modules["keras.optimizers"].__spec__.name, sys.modules["keras"].__spec__.name)
    """
    expected = "True oxhorn.optimizers.schedules oxhorn.optimizers.schedules\n"
    assert printed(tmp_path, text) == expected + "oxhorn.optimizers oxhorn\n"


def test_nothing_changes_for_programs_that_are_not_run_so(tmp_path: Path) -> None:
    text = "import oxhorn, sys\nprint([name for name in sys.modules if 'tensorflow' in name])"
    done = subprocess.run(
        [sys.executable, "-c", text], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (
            "import keras.src.layers",
            "ImportError: `keras.src` is private to Keras: "
            "import from `keras` what it has in public",
        ),
        (
            "import keras.nowhere.more",
            "ModuleNotFoundError: No module named 'keras.nowhere': Oxhorn has no `keras.nowhere`",
        ),
        (
            "from tensorflow import data",
            "ImportError: Oxhorn has no `tf.data`: "
            "give `fit` NumPy arrays, a generator or a `keras.utils.PyDataset`",
        ),
        (
            "import tensorflow.python.keras",
            "ImportError: Oxhorn has no `tf.python`: it is private to TensorFlow: use `keras`",
        ),
        (
            "import tensorflow as tf; tf.reduce_mean",
            "AttributeError: Oxhorn has no `tf.reduce_mean`: use `keras.ops.mean`",
        ),
        (
            "import tensorflow as tf; tf.random.normal",
            "AttributeError: Oxhorn has no `tf.random.normal`: use `keras.random`",
        ),
        (
            "import tensorflow as tf; tf.square",
            "AttributeError: Oxhorn has no `tf.square`: "
            "use `keras.ops` on tensors, NumPy on arrays",
        ),
        (
            "import tensorflow.float32",
            "ModuleNotFoundError: No module named 'tensorflow.float32': "
            "it is no module, so write `from … import …`",
        ),
    ],
)
def test_what_is_not_there_is_refused_by_name(tmp_path: Path, line: str, says: str) -> None:
    assert complaint(tmp_path, line) == says


def test_tensorflow_answers_what_scripts_ask_of_it(tmp_path: Path) -> None:
    text = """
        import logging
        import tensorflow as tf
        from tensorflow.random import set_seed
        import tensorflow.compat.v1.logging
        print(tf.__version__.split(".")[0], tf.version.VERSION == tf.__version__)
        print(tf.config.list_physical_devices(), tf.config.list_physical_devices("GPU"))
        for gpu in tf.config.experimental.list_physical_devices("GPU"):
            tf.config.experimental.set_memory_growth(gpu, True)
        tf.config.experimental.enable_op_determinism()
        tf.get_logger().setLevel("ERROR")
        print(logging.getLogger("tensorflow").level == tf.compat.v1.logging.ERROR)
        tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.INFO)
        print(logging.getLogger("tensorflow").level == logging.INFO)
        print(tf.float32 == "float32", tf.test.is_gpu_available())
    """
    device = "[Device(name='/physical_device:CPU:0', device_type='CPU')]"
    assert printed(tmp_path, text) == f"2 True\n{device} []\nTrue\nTrue\nTrue False\n"


def test_constants_are_arrays_of_tensorflows_types(tmp_path: Path) -> None:
    text = """
        import numpy as np, tensorflow as tf
        for it in (
            tf.constant(1.5), tf.constant([1, 2]), tf.constant(np.zeros(2)),
            tf.constant([[1, 2]], tf.float64), tf.constant(0, shape=(2, 3)),
            tf.constant([1, 2, 3, 4], shape=(2, 2)), tf.convert_to_tensor([True]),
        ):
            print(type(it).__name__, it.dtype, it.shape)
    """
    expected = ["float32 ()", "int32 (2,)", "float64 (2,)", "float64 (1, 2)", "int32 (2, 3)"]
    expected += ["int32 (2, 2)", "bool (1,)"]
    assert printed(tmp_path, text).splitlines() == [f"ndarray {line}" for line in expected]


def test_the_seed_of_tensorflow_leaves_numpys_generator_alone(tmp_path: Path) -> None:
    text = """
        import random
        import numpy as np, tensorflow as tf
        np.random.seed(5)
        first = np.random.random()
        np.random.seed(5)
        tf.random.set_seed(1)
        print(first == np.random.random())
        drawn = random.random()
        tf.random.set_seed(1)
        print(drawn == random.random())
    """
    assert printed(tmp_path, text) == "True\nTrue\n"


def test_an_error_shows_the_scripts_lines_and_no_others(tmp_path: Path) -> None:
    text = """
        from keras import layers
        def build():
            return layers.Dense(-1)
        build()
    """
    done = ran(tmp_path, text)
    assert done.returncode == 1 and done.stdout == ""
    lines = done.stderr.splitlines()
    files = [line for line in lines if line.startswith("  File ")]
    script = tmp_path / "script.py"
    expected = [f'  File "{script}", line {at}' for at in ("5, in <module>", "4, in build")]
    assert lines[0] == "Traceback (most recent call last):" and files == expected
    assert lines[-1].startswith("ValueError: ")


def test_all_lines_show_where_filtering_is_off(tmp_path: Path) -> None:
    text = """
        import keras
        keras.config.disable_traceback_filtering()
        keras.layers.Dense(-1)
    """
    frames = ran(tmp_path, text).stderr
    assert "layers" in frames.split("layers.Dense(-1)", 1)[1]
    assert "run.py" not in frames


def test_a_mistake_of_syntax_shows_as_under_python(tmp_path: Path) -> None:
    done = ran(tmp_path, "x = (")
    path = tmp_path / "script.py"
    python = subprocess.run([sys.executable, str(path)], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (python.returncode, python.stderr)


@pytest.mark.parametrize(
    ("line", "code", "says"),
    [
        ("sys.exit(7)", 7, ""),
        ("sys.exit()", 0, ""),
        ("sys.exit('enough')", 1, "enough\n"),
        ("import atexit; atexit.register(print, 'last', file=sys.stderr)", 0, "last\n"),
    ],
)
def test_a_script_ends_as_it_says(tmp_path: Path, line: str, code: int, says: str) -> None:
    done = ran(tmp_path, f"import sys\n{line}\n")
    assert (done.returncode, done.stderr) == (code, says)


def test_an_interrupt_ends_with_the_code_of_its_signal(tmp_path: Path) -> None:
    done = ran(tmp_path, "raise KeyboardInterrupt")
    assert done.returncode == 130 and done.stderr.endswith("KeyboardInterrupt\n")


def test_a_script_that_is_not_there_is_named(tmp_path: Path) -> None:
    done = oxhorn("run", "absent.py", cwd=tmp_path)
    reason = f"can't open file '{tmp_path / 'absent.py'}': [Errno 2] No such file or directory"
    assert (done.returncode, done.stderr) == (2, f"oxhorn: {reason}\n")


def test_the_command_tells_how_it_is_used(tmp_path: Path) -> None:
    done = oxhorn("--help", cwd=tmp_path)
    assert done.returncode == 0 and done.stdout.startswith("usage: oxhorn run SCRIPT")
    for arguments, complaint in (
        ([], "what to do?"),
        (["run"], "which script?"),
        (["walk"], "no command 'walk'"),
    ):
        done = oxhorn(*arguments, cwd=tmp_path)
        assert done.returncode == 2 and done.stderr.startswith(f"oxhorn: {complaint}\nusage: ")
