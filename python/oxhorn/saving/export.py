"""`export`: what a model predicts as a file of ONNX, which other programs run."""

from __future__ import annotations

import os
from typing import Any

from oxhorn import tree

ENDING = ".onnx"
# What a single input and a single output are called.
INPUT, OUTPUT = "input", "output"


def export(model: Any, filepath: Any, file_format: str, input_signature: Any) -> None:
    """Writes what a model predicts, noise off, for batches of any size.

    Args:
        model: the model, which must be built.
        filepath: the file, whose name ends in `.onnx`.
        file_format: `"onnx"`; Keras' other ones are refused by their names.
        input_signature: symbolic tensors, or a structure of such, in place of the model's inputs.
    """
    from oxhorn.saving import optimizer_state

    path = os.fspath(filepath)
    # The name of the file says it as well: Keras' default is another format.
    if not path.endswith(ENDING):
        raise NotImplementedError(
            "Oxhorn exports models as ONNX: the name of the file must end in `.onnx`. "
            f"Received: filepath={path}, format={file_format}"
        )
    if file_format not in ("onnx", "tf_saved_model"):
        raise NotImplementedError(
            f"Oxhorn exports models as ONNX and in no other format. Received: format={file_format}"
        )
    if not model.built:
        raise ValueError(
            "The model has not been built: call it on some data, or build it, before the export."
        )
    inputs = input_signature
    if inputs is not None:
        inputs = tree.map_structure(optimizer_state.zeros_like, inputs)
        inputs = inputs[0] if isinstance(inputs, list) and len(inputs) == 1 else inputs
    else:
        inputs = optimizer_state.sample_inputs(model)
    if inputs is None:
        raise ValueError(
            "The shapes of the inputs are not known. Give them as `input_signature`: a list "
            "of `keras.KerasTensor`."
        )
    flat = model._flat_x(inputs)
    types = [model._batch_type(array) for array in flat]
    count = len(model._engine.output_types(types))
    names = model._graph.names() if model._graph is not None else []
    if len(flat) == 1 or len(names) != len(flat):
        names = [INPUT] if len(flat) == 1 else [f"{INPUT}_{i}" for i in range(len(flat))]
    outputs = [OUTPUT] if count == 1 else model._output_names(count)
    model._pull_numbers()
    rows = [(name, *kind) for name, kind in zip(names, types)]
    model._engine.export_onnx(path, model.name, rows, outputs)
