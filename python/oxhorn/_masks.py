"""Masks: which positions of a tensor count, handed from layer to layer with the tensor."""

from __future__ import annotations

import warnings
from typing import Any

from oxhorn import tree
from oxhorn._tensor import KerasTensor, Tensor


def mask_of(x: Any) -> Any:
    """The mask of a tensor, `None` if all its positions count."""
    return x._keras_mask if isinstance(x, (Tensor, KerasTensor)) else None


def set_mask(x: Any, mask: Any) -> None:
    """Notes the mask of a tensor."""
    x._keras_mask = mask


def masks_of(structure: Any) -> Any:
    """The masks of a structure of tensors, in the same structure."""
    if isinstance(structure, (Tensor, KerasTensor)):
        return structure._keras_mask
    return tree.map_structure(mask_of, structure)


class Masks:
    """The masks of one call of a layer: taken from its arguments, given to what it gives.

    Args:
        layer: what is called.
        names: the parameters of its `call`, in order.
        args: the positional arguments.
        kwargs: the others; masks that `call` takes are added to them.
    """

    def __init__(
        self, layer: Any, names: tuple[str, ...], args: tuple, kwargs: dict[str, Any]
    ) -> None:
        self.layer = layer
        self.first = args[0] if args else next(iter(kwargs.values()), None)
        if any(name == "mask" or name.endswith("_mask") for name in names):
            self._give(names, args, kwargs)
        given = kwargs.get("mask")
        self.previous = masks_of(self.first) if given is None else given

    def _give(self, names: tuple[str, ...], args: tuple, kwargs: dict[str, Any]) -> None:
        """Adds the masks of the arguments that are tensors, where nobody has stated others."""
        named = {**dict(zip(names, args)), **kwargs}
        tensors = {name: value for name, value in named.items() if _has_tensor(value)}
        # The mask of an only tensor is called `mask`, that of one among several after the tensor.
        only = len(tensors) == 1
        for name, value in tensors.items():
            parameter = "mask" if only else f"{name}_mask"
            if parameter in names and named.get(parameter) is None:
                masks = masks_of(value)
                if any(mask is not None for mask in tree.flatten(masks)):
                    kwargs[parameter] = masks

    def pass_on(self, outputs: Any) -> None:
        """Notes the masks of the outputs, or warns that they are lost."""
        layer = self.layer
        has_mask = _is_masked(self.previous)
        if not layer.supports_masking:
            # It is called in many traces, of which one telling is enough.
            if has_mask and "_mask_lost" not in layer.__dict__:
                layer.__dict__["_mask_lost"] = True
                warnings.warn(
                    f"Layer '{layer.name}' (of type {type(layer).__name__}) was passed an input "
                    "with a mask attached to it. However, this layer does not support masking and "
                    "will therefore destroy the mask information. Downstream layers will not see "
                    "the mask.",
                    stacklevel=4,
                )
            return
        flat = tree.flatten(outputs)
        if all(mask_of(x) is not None for x in flat):
            return
        # The usual rule makes no mask of none, so that nothing needs to be asked.
        if not has_mask and type(layer).compute_mask is type(layer)._usual_mask:
            return
        masks = layer.compute_mask(self.first, self.previous)
        if masks is None:
            return
        for x, mask in zip(flat, tree.flatten(masks)):
            if mask is not None and mask_of(x) is None:
                set_mask(x, mask)


def _is_masked(masks: Any) -> bool:
    return masks is not None and any(mask is not None for mask in tree.flatten(masks))


def _has_tensor(value: Any) -> bool:
    if isinstance(value, (list, tuple, dict)):
        return any(isinstance(x, (Tensor, KerasTensor)) for x in tree.flatten(value))
    return isinstance(value, (Tensor, KerasTensor))
