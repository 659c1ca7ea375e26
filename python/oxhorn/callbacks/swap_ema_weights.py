"""`SwapEMAWeights`: evaluates and saves a model with the moving averages of its weights."""

from __future__ import annotations

from typing import Any

from oxhorn.callbacks.callback import Callback, Logs


class SwapEMAWeights(Callback):
    """Exchanges weights and their moving averages around evaluation and prediction.

    The optimizer has to be made with `use_ema=True`.

    Args:
        swap_on_epoch: whether they are also exchanged from the end of an epoch to the beginning
            of the next, so that callbacks that save the model after this one save the averages.
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        super().__init__()
        self.swap_on_epoch = swap_on_epoch
        self._ema_weights_in_model = False

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        if self.swap_on_epoch:
            self._show_weights()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if not self.swap_on_epoch or self._ema_weights_in_model:
            return
        self._show_averages()
        if epoch == self.params["epochs"] - 1:
            self._keep_averages()

    def on_test_begin(self, logs: Logs | None = None) -> None:
        self._show_averages()

    def on_test_end(self, logs: Logs | None = None) -> None:
        self._show_weights()

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        self._show_averages()

    def on_predict_end(self, logs: Logs | None = None) -> None:
        self._show_weights()

    def _show_averages(self) -> None:
        if not self._ema_weights_in_model:
            self._swap()
            self._ema_weights_in_model = True

    def _show_weights(self) -> None:
        if self._ema_weights_in_model:
            self._swap()
            self._ema_weights_in_model = False

    def _keep_averages(self) -> None:
        """Makes the averages equal to the weights, which are averages already.

        At the end of training the optimizer copies its averages into the model, and must not
        undo the exchange.
        """
        averages = self.model.get_weights()
        self._swap()
        self.model.set_weights(averages)

    def _swap(self) -> None:
        for optimizer in self._averaging_optimizers():
            optimizer._swap_with_averages()

    def _averaging_optimizers(self) -> list[Any]:
        optimizer = getattr(self.model.optimizer, "inner_optimizer", self.model.optimizer)
        if not hasattr(optimizer, "optimizers"):
            if not getattr(optimizer, "use_ema", False):
                raise ValueError(
                    "SwapEMAWeights must be used when `use_ema=True` is set on the optimizer. "
                    f"Received: use_ema={getattr(optimizer, 'use_ema', None)}"
                )
            return [optimizer]
        averaging = [o for o in optimizer.optimizers if getattr(o, "use_ema", False)]
        if not averaging:
            raise ValueError(
                "SwapEMAWeights must be used when at least one inner optimizer has "
                "`use_ema=True` set. Received a MultiOptimizer with all inner optimizers having "
                "`use_ema=False`."
            )
        return averaging
