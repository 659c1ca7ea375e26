"""One prediction of the tutorial's network, by whoever is asked for it from Python."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import numpy as np

import serve
from networks import Network

# In a turn.
CALLS = 500


def torch(network: Network, x: np.ndarray) -> tuple[str, Callable[[], object]]:
    """PyTorch in inference mode, compiled."""
    import torch

    from torch_peer import build

    torch.set_num_threads(1)
    model = torch.nn.Sequential(build(network), torch.nn.Softmax(1)).eval()
    compiled = torch.compile(model, dynamic=False)
    given = torch.from_numpy(x)

    def call() -> object:
        with torch.inference_mode():
            return compiled(given)

    return torch.__version__, call


def jax(network: Network, x: np.ndarray) -> tuple[str, Callable[[], object]]:
    """JAX, compiled, with all arrays in its own memory."""
    os.environ["JAX_PLATFORMS"] = "cpu"
    import jax

    from jax_peer import first_values

    weights = jax.device_put(first_values(network))

    @jax.jit
    def predict(x):
        for kernel, bias in weights[:-1]:
            x = jax.nn.relu(x @ kernel + bias)
        kernel, bias = weights[-1]
        return jax.nn.softmax(x @ kernel + bias)

    given = jax.device_put(x)
    return jax.__version__, lambda: predict(given).block_until_ready()


def keras(network: Network, x: np.ndarray) -> tuple[str, Callable[[], object]]:
    """Keras on JAX, by `predict_on_batch`."""
    os.environ["KERAS_BACKEND"] = "jax"
    import keras

    from keras_peer import build

    model = build(keras, network)
    return keras.__version__, lambda: model.predict_on_batch(x)


def onnxruntime(network: Network, x: np.ndarray) -> tuple[str, Callable[[], object]]:
    """ONNX Runtime, which does nothing but predict."""
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper, numpy_helper

    random = np.random.default_rng(1)
    nodes, constants, at = [], [], "x"
    widths = [network.inputs, *network.hidden, network.classes]
    for i, (n, m) in enumerate(zip(widths, widths[1:])):
        kernel = random.random((n, m), dtype=np.float32)
        bias = np.zeros(m, dtype=np.float32)
        constants += [
            numpy_helper.from_array(kernel, f"w{i}"),
            numpy_helper.from_array(bias, f"b{i}"),
        ]
        last = i == len(network.hidden)
        nodes += [
            helper.make_node("Gemm", [at, f"w{i}", f"b{i}"], [f"z{i}"]),
            helper.make_node("Softmax" if last else "Relu", [f"z{i}"], ["y" if last else f"a{i}"]),
        ]
        at = f"a{i}"
    ends = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, width])
        for name, width in [("x", network.inputs), ("y", network.classes)]
    ]
    graph = helper.make_graph(nodes, "network", ends[:1], ends[1:], constants)
    versions = [helper.make_opsetid("", 17)]
    model = helper.make_model(graph, opset_imports=versions, ir_version=8)
    onnx.checker.check_model(model)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    return onnxruntime.__version__, lambda: session.run(None, {"x": x})


FRAMEWORKS = {
    "PyTorch": torch,
    "JAX": jax,
    "Keras": keras,
    "ONNX Runtime": onnxruntime,
}


def main() -> None:
    """Builds the network and serves."""
    asked = serve.asked(framework=list(FRAMEWORKS))
    network = serve.of(asked.network)
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    serve.use_cores(asked.threads)
    x = np.full((1, network.inputs), 0.5, dtype=np.float32)
    version, predict = FRAMEWORKS[asked.framework](network, x)

    def turn() -> dict[str, float]:
        predict()
        begun = time.perf_counter()
        for _ in range(CALLS):
            predict()
        return {"step": (time.perf_counter() - begun) / CALLS}

    serve.serve({asked.framework: version}, turn)


if __name__ == "__main__":
    main()
