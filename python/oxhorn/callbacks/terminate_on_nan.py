"""`TerminateOnNaN`: ends training whose loss is no longer a number."""

from __future__ import annotations

import math

from oxhorn.callbacks.callback import Callback, Logs
from oxhorn.utils.messages import print_message


class TerminateOnNaN(Callback):
    """Ends training after a batch at which the loss, averaged over the epoch, is not finite.

    Args:
        raise_error: whether that raises a `RuntimeError` instead of stopping quietly.
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is None or math.isfinite(loss):
            return
        if self.raise_error:
            raise RuntimeError(
                f"NaN or Inf loss encountered at batch {batch}. Loss value: {loss}. "
                "Terminating training immediately."
            )
        print_message(f"Batch {batch}: Invalid loss, terminating training")
        self.model.stop_training = True
