"""`DTypePolicy`: the types in which a layer computes and keeps its weights."""

from __future__ import annotations

from typing import Any

KNOWN = ("float16", "bfloat16", "float32", "float64", "mixed_float16", "mixed_bfloat16")


class DTypePolicy:
    """The policy of single precision, which is the only one that Oxhorn has.

    Args:
        name: `"float32"`; other policies of Keras are refused.
    """

    def __init__(self, name: str | None = None) -> None:
        name = "float32" if name is None else name
        if not isinstance(name, str):
            raise TypeError(
                "'name' must be a string, such as 'mixed_float16'. "
                f"Received: name={name} (of type {type(name)})"
            )
        if name != "float32":
            if name not in KNOWN and not name.startswith(("int8", "int4", "float8", "gptq", "awq")):
                raise ValueError(
                    f"Cannot convert '{name}' to a mixed precision DTypePolicy. Valid policies "
                    "include 'mixed_float16', 'mixed_bfloat16', and the name of any float dtype "
                    "such as 'float32'."
                )
            raise NotImplementedError(
                f"Oxhorn computes in float32 alone. Received: policy '{name}'. Use 'float32'."
            )
        self._name = name

    @property
    def name(self) -> str:
        return self._name

    @property
    def compute_dtype(self) -> str:
        """The type in which a layer computes."""
        return self._name

    @property
    def variable_dtype(self) -> str:
        """The type in which a layer keeps its weights."""
        return self._name

    @property
    def quantization_mode(self) -> None:
        """`None`, as weights are not quantized."""
        return None

    def get_config(self) -> dict[str, Any]:
        return {"name": self._name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> DTypePolicy:
        return cls(**config)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicy) and self._name == other._name

    def __hash__(self) -> int:
        return hash(self._name)

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self._name}">'
