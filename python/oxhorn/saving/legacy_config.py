"""Models in legacy `.h5` files as dictionaries: what Keras 2 and Keras 3 write there, both ways."""

from __future__ import annotations

from typing import Any

from oxhorn.saving.objects import deserialize_keras_object, serialize_keras_object

# What dictionaries of layers have besides what they had in Keras 2.
NEWER = ("module", "registered_name", "build_config", "compile_config", "shared_object_id")
# Settings of layers that Keras 3 calls otherwise, or has no more.
GONE = ("function_type", "output_shape_type", "output_shape_module", "module")


def written(model: Any) -> Any:
    """The settings of a model; its layers have a class and settings, and nothing else."""
    return _plain_layers(serialize_keras_object(model.get_config()))


def _plain_layers(config: Any) -> Any:
    if not isinstance(config, dict) or not isinstance(config.get("layers"), list):
        return config
    return {**config, "layers": [_plain(layer) for layer in config["layers"]]}


def _plain(layer: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in layer.items() if key not in NEWER}
    if layer.get("registered_name") and layer.get("module") is None:
        kept["class_name"] = layer["registered_name"]
    return {**kept, "config": _plain_layers(layer["config"])}


def training(model: Any) -> dict[str, Any]:
    """What a model is trained for."""
    config = model.get_compile_config()
    optimizer = config.pop("optimizer")
    if config.pop("techniques", None) is not None:
        raise NotImplementedError(
            "The legacy `.h5` format has no place for techniques. Save the model as `.keras`."
        )
    plain = {key: _as_before(value) for key, value in config.items()}
    # Keras reads no short names here: `mse` and its like.
    plain["loss"] = _in_full(plain["loss"])
    return {**plain, "optimizer_config": _as_before(optimizer)}


def _in_full(loss: Any) -> Any:
    from oxhorn import losses

    if isinstance(loss, list):
        return [_in_full(item) for item in loss]
    if isinstance(loss, dict) and "class_name" not in loss:
        return {key: _in_full(item) for key, item in loss.items()}
    found = losses.get(loss) if isinstance(loss, str) else None
    return getattr(found, "__name__", loss)


def _as_before(value: Any) -> Any:
    """A dictionary of objects in which each is a class and settings, and nothing else."""
    if isinstance(value, list):
        return [_as_before(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "class_name" in value and "config" in value:
        if value["class_name"] == "function":
            return value["config"]
        name = value.get("registered_name") or value["class_name"]
        return {"class_name": name, "config": value["config"]}
    return {key: _as_before(item) for key, item in value.items()}


def model(config: Any, custom_objects: Any, safe_mode: bool) -> Any:
    """The model that a file describes."""
    if isinstance(config, list):
        raise TypeError(
            "`model_from_config` expects a dictionary, not a list. "
            f"Received: config={config}. Did you meant to use `Sequential.from_config(config)`?"
        )
    if not isinstance(config, dict) or not isinstance(config.get("config"), (dict, list)):
        raise ValueError(
            "The provided configuration is not a valid Keras configuration. Expected a dictionary "
            f"containing a 'config' key. Received: config={config}"
        )
    if isinstance(config["config"], list):
        # The first files of sequential models are lists of layers.
        config = {**config, "config": {"name": None, "layers": config["config"]}}
    return deserialize_keras_object(read(config), custom_objects, safe_mode=safe_mode)


def read(config: Any) -> Any:
    """A dictionary of Keras 2, all within it included, in the words of Keras 3."""
    if isinstance(config, list):
        return [read(item) for item in config]
    if not isinstance(config, dict):
        return config
    config = {key: read(value) for key, value in config.items()}
    settings = config.get("config")
    if not isinstance(settings, dict) or "class_name" not in config:
        return config
    settings = dict(settings)
    shape = settings.pop("batch_input_shape", None)
    if shape is not None:
        settings["batch_shape" if config["class_name"] == "InputLayer" else "batch_input_shape"] = (
            shape
        )
    if isinstance(settings.get("axis"), list) and len(settings["axis"]) == 1:
        settings["axis"] = settings["axis"][0]
    if config["class_name"] == "Lambda":
        settings = _read_lambda(settings)
    if config["class_name"] == "Model":
        config["class_name"] = "Functional"
    return {**config, "config": settings}


def _read_lambda(settings: dict[str, Any]) -> dict[str, Any]:
    """The settings of a `Lambda`; of its byte code nothing is made but a refusal, later."""
    settings = {key: value for key, value in settings.items() if key not in GONE}
    if isinstance(settings.get("function"), list):
        settings["function"] = {"class_name": "__lambda__", "config": {}}
    return settings


def compile_arguments(config: Any, custom_objects: Any, safe_mode: bool) -> dict[str, Any]:
    """The arguments of `compile` that a file describes."""
    from oxhorn import losses, metrics, optimizers
    from oxhorn.saving.registry import CustomObjectScope

    def each(value: Any, deserialize: Any) -> Any:
        if isinstance(value, str) or isinstance(value, dict) and "class_name" in value:
            return value if isinstance(value, str) else deserialize(value)
        if isinstance(value, dict):
            return {key: each(item, deserialize) for key, item in value.items()}
        if isinstance(value, list):
            return [each(item, deserialize) for item in value]
        return value

    with CustomObjectScope(custom_objects):
        return {
            "optimizer": optimizers.deserialize(config["optimizer_config"]),
            "loss": each(config.get("loss"), losses.deserialize),
            "metrics": each(config.get("metrics"), metrics.deserialize),
            "weighted_metrics": each(config.get("weighted_metrics"), metrics.deserialize),
            "loss_weights": config.get("loss_weights"),
        }
