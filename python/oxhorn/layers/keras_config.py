"""Where Keras' dictionaries of layers say more than our settings, or say it differently."""

from __future__ import annotations

from typing import Any

# What Keras writes although nothing but these values is supported here.
FURTHER: dict[str, dict[str, Any]] = {
    "BatchNormalization": {"renorm_clipping": None},
    "Dense": {"quantization_config": None},
    "EinsumDense": {"activity_regularizer": None, "quantization_config": None},
    "Embedding": {"activity_regularizer": None, "quantization_config": None},
    "LayerNormalization": {"rms_scaling": False},
}
# Layers of Keras that are made of nothing but their own settings, a name and a type. Files of
# Keras 2 have the shape of their noise as well, which is always that of their channels.
BARE = ("SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D")


def written(name: str, config: dict[str, Any]) -> dict[str, Any]:
    """The settings of Keras' layer of this name, as Keras writes them."""
    config = {**config, **{k: v for k, v in FURTHER.get(name, {}).items() if k not in config}}
    if config.get("data_format", "") is None:
        from oxhorn import config as session

        config["data_format"] = session.image_data_format()
    if name in BARE:
        del config["trainable"]
        config["dtype"] = config["dtype"]["config"]["name"]
    if name.startswith("ZeroPadding") and "padding" in config:
        config["padding"] = _both_sides(name, config["padding"])
    return config


def _both_sides(name: str, padding: Any) -> Any:
    """Zeros before and after, for each axis."""
    axes = int(name.removeprefix("ZeroPadding").removesuffix("D"))
    if axes == 1:
        return (padding, padding) if isinstance(padding, int) else padding
    each = (padding,) * axes if isinstance(padding, int) else padding
    return tuple((n, n) if isinstance(n, int) else n for n in each)


def read(name: str, config: dict[str, Any]) -> dict[str, Any]:
    """The settings without those that say what holds in any case."""
    further = {"noise_shape": None} if name in BARE else FURTHER.get(name, {})
    return {
        key: value
        for key, value in config.items()
        if not (key in further and value == further[key])
    }
