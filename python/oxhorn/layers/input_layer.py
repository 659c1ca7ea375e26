"""`Input` and `InputLayer`: where a functional model begins."""

from __future__ import annotations

from typing import Any

from oxhorn._graph import Node
from oxhorn._tensor import KerasTensor
from oxhorn.layers.layer import Layer
from oxhorn.utils.dtypes import standardize_dtype


class InputLayer(Layer):
    """The input of a model.

    Args:
        shape: the extent of each axis but the first, `None` where it is open.
        batch_size: the extent of the first axis, if it is fixed.
        dtype: the type of the elements.
        batch_shape: the extents of all axes, in place of `shape` and `batch_size`.
        name: the name of the layer.
    """

    def __init__(
        self,
        shape: Any = None,
        batch_size: int | None = None,
        dtype: Any = None,
        sparse: bool | None = None,
        ragged: bool | None = None,
        batch_shape: Any = None,
        input_tensor: Any = None,
        optional: bool = False,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        if "input_shape" in kwargs:
            shape = kwargs.pop("input_shape")
        if "batch_input_shape" in kwargs:
            batch_shape = kwargs.pop("batch_input_shape")
        if input_tensor is not None and not isinstance(input_tensor, KerasTensor):
            raise ValueError(
                "Argument `input_tensor` must be a KerasTensor. Received invalid type: "
                f"input_tensor={input_tensor} (of type {type(input_tensor)})"
            )
        if sparse or ragged or optional:
            raise NotImplementedError(
                "Sparse, ragged and optional inputs are not supported by Oxhorn. Received: "
                f"sparse={sparse}, ragged={ragged}, optional={optional}"
            )
        if shape is not None and batch_shape is not None:
            raise ValueError("You cannot pass both `shape` and `batch_shape` at the same time.")
        if shape is None and batch_shape is None and input_tensor is None:
            raise ValueError("You must pass a `shape` argument.")
        super().__init__(name=name, **kwargs)
        if input_tensor is not None:
            batch_shape, dtype = input_tensor.shape, input_tensor.dtype
        elif batch_shape is None:
            batch_shape = (batch_size, *_extents(shape))
        self._input_shape = tuple(batch_shape)
        self._dtype_name = standardize_dtype(dtype)
        output = input_tensor
        if output is None:
            output = KerasTensor(self._input_shape, self._dtype_name, name=self.name)
        Node(self, (), {}, output)
        self.built = True

    @property
    def batch_shape(self) -> tuple[int | None, ...]:
        return self._input_shape

    @property
    def dtype(self) -> str:
        return self._dtype_name

    @property
    def output(self) -> KerasTensor:
        return self._inbound_nodes[0].outputs

    def call(self, *args: Any) -> Any:
        raise NotImplementedError("An input layer is not called: it is where a model begins.")

    def get_config(self) -> dict[str, Any]:
        return {
            "batch_shape": self._input_shape,
            "dtype": self._dtype_name,
            "sparse": False,
            "ragged": False,
            "name": self.name,
            "optional": False,
        }


def _extents(shape: Any) -> tuple:
    if isinstance(shape, int):
        raise ValueError(
            f"Cannot convert '{shape}' to a shape. Give a tuple, such as `shape=({shape},)`."
        )
    return tuple(shape)


def Input(
    shape: Any = None,
    batch_size: int | None = None,
    dtype: Any = None,
    sparse: bool | None = None,
    ragged: bool | None = None,
    batch_shape: Any = None,
    name: str | None = None,
    tensor: Any = None,
    optional: bool = False,
) -> Any:
    """The symbolic tensor with which a functional model begins; see `InputLayer`."""
    layer = InputLayer(
        shape=shape,
        batch_size=batch_size,
        dtype=dtype,
        sparse=sparse,
        ragged=ragged,
        batch_shape=batch_shape,
        name=name,
        input_tensor=tensor,
        optional=optional,
    )
    return layer.output
