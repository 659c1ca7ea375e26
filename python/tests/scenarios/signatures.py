"""Scenarios of signatures: names, kinds and defaults of the parameters of everything public."""

from __future__ import annotations

import inspect

CALLBACKS = """BackupAndRestore Callback CallbackList CSVLogger EarlyStopping History LambdaCallback
LearningRateScheduler ModelCheckpoint OrbaxCheckpoint ProgbarLogger ReduceLROnPlateau RemoteMonitor
SwapEMAWeights TensorBoard TerminateOnNaN"""
HOOKS = """set_params set_model on_batch_begin on_batch_end on_epoch_begin on_epoch_end
on_train_batch_begin on_train_batch_end on_test_batch_begin on_test_batch_end
on_predict_batch_begin on_predict_batch_end on_train_begin on_train_end on_test_begin on_test_end
on_predict_begin on_predict_end"""


def _parameters(function):
    parameters = inspect.signature(function).parameters.values()
    return [(p.name, p.kind.name, repr(p.default)) for p in parameters]


def _all(module, names):
    return {name: _parameters(getattr(module, name)) for name in names.split()}


def signatures_of_callbacks(keras):
    return _all(keras.callbacks, CALLBACKS)


def signatures_of_hooks(keras):
    return _all(keras.callbacks.Callback, HOOKS), _all(keras.callbacks.CallbackList, HOOKS)


def signatures_of_trees(keras):
    return _all(
        keras.tree,
        "assert_same_paths assert_same_structure flatten flatten_with_path is_nested "
        "lists_to_tuples map_shape_structure map_structure map_structure_up_to pack_sequence_as "
        "traverse",
    )
