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


def signatures_of_utilities(keras):
    return _all(
        keras.utils,
        "CustomObjectScope Progbar PyDataset Sequence clear_session custom_object_scope "
        "disable_interactive_logging enable_interactive_logging get_custom_objects get_file "
        "get_registered_name get_registered_object is_interactive_logging_enabled "
        "is_keras_tensor model_to_dot normalize pack_x_y_sample_weight pad_sequences plot_model "
        "register_keras_serializable set_random_seed split_dataset standardize_dtype "
        "timeseries_dataset_from_array to_categorical unpack_x_y_sample_weight",
    )


def signatures_of_progress_and_data(keras):
    progress = _all(keras.utils.Progbar, "update add")
    return progress, _all(keras.utils.PyDataset, "__getitem__ __iter__ on_epoch_begin on_epoch_end")


def signatures_of_settings(keras):
    names = [n for n in dir(keras.config) if n[0] != "_" and callable(getattr(keras.config, n))]
    if hasattr(keras.config, "__all__"):
        names = keras.config.__all__
    return _all(keras.config, " ".join(sorted(names)))


def signatures_of_data_sets(keras):
    sets = keras.datasets
    loads = "boston_housing california_housing cifar10 cifar100 fashion_mnist imdb mnist reuters"
    loaders = {name: _all(getattr(sets, name), "load_data") for name in loads.split()}
    return (
        loaders,
        _all(sets.imdb, "get_word_index"),
        _all(sets.reuters, "get_word_index get_label_names"),
    )
