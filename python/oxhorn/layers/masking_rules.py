"""What Rust's layers do with masks: which lose one, and how those of several inputs join."""

from __future__ import annotations

from typing import Any

# Layers that, as in Keras, do not hand the mask of their input on.
LOSING = frozenset(
    """Cropping1D Cropping2D EinsumDense Embedding Flatten GlobalAveragePooling2D GlobalMaxPooling1D
    GlobalMaxPooling2D Permute RMSNormalization RepeatVector Reshape UpSampling1D UpSampling2D
    ZeroPadding1D ZeroPadding2D""".split()
)

# Layers whose output has no mask though they take masked inputs.
ENDING = frozenset(("Dot", "GlobalAveragePooling1D"))

# Layers of several inputs of which a position counts if it does in any.
JOINING = frozenset(("Add", "Average", "Maximum", "Minimum", "Multiply", "Subtract"))


def output_mask(name: str, axis: Any, inputs: Any, masks: Any) -> Any:
    """The mask of the output of a layer of this class.

    Args:
        name: the name of the class.
        axis: the axis of a `Concatenate`.
        inputs: the input or inputs.
        masks: the mask of each, `None` where it has none.
    """
    if name in ENDING or masks is None:
        return None
    if name in JOINING:
        check(inputs, masks)
        return joined(masks)
    if name == "Concatenate":
        check(inputs, masks)
        return concatenated(axis, inputs, masks)
    return masks


def check(inputs: Any, masks: Any) -> None:
    """Refuses masks that are not one for each input."""
    if not isinstance(masks, (tuple, list)):
        raise ValueError(f"`mask` should be a list. Received mask={masks}")
    if not isinstance(inputs, (tuple, list)):
        raise ValueError(f"`inputs` should be a list. Received: inputs={inputs}")
    if len(masks) != len(inputs):
        raise ValueError(
            "The lists `inputs` and `mask` should have the same length. Received: "
            f"inputs={inputs} of length {len(inputs)}, and mask={masks} of length {len(masks)}"
        )


def joined(masks: Any) -> Any:
    """A position counts if it does in any input; without a mask, all positions do."""
    from oxhorn import ops

    if any(mask is None for mask in masks):
        return None
    first, *others = masks
    for mask in others:
        first = ops.logical_or(first, mask)
    return first


def concatenated(axis: int, inputs: Any, masks: Any) -> Any:
    """The masks one after the other as the inputs are, where a last axis counts as a whole."""
    from oxhorn import ops

    if all(mask is None for mask in masks):
        return None
    filled = []
    for x, mask in zip(inputs, masks):
        if mask is None:
            mask = ops.ones_like(x, dtype="bool")
        elif len(mask.shape) < len(x.shape):
            mask = ops.logical_or(ops.expand_dims(mask, -1), ops.zeros_like(x, dtype="bool"))
        filled.append(mask)
    return ops.any(ops.concatenate(filled, axis=axis), axis=-1)
