"""`Embedding`, with the mask that it makes of zeros."""

from __future__ import annotations

from typing import Any

from oxhorn._generated import layers as generated


class Embedding(generated.Embedding):
    __doc__ = (generated.Embedding.__doc__ or "").replace(
        "is masked, which is not supported", "is masked in what follows"
    )

    def _configure(self, **settings: Any) -> None:
        super()._configure(**settings)
        self.supports_masking = bool(self.mask_zero)

    def _settings(self) -> dict[str, Any]:
        # Where zeros are is looked up here; the rows of the table are Rust's business.
        return {**super()._settings(), "mask_zero": False}

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """Where an integer is not 0, if those are to be masked."""
        from oxhorn import ops

        return ops.not_equal(inputs, 0) if self.mask_zero else None
