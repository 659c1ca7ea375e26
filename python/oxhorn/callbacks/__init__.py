"""Callbacks: what happens between the steps of training, evaluation and prediction."""

from __future__ import annotations

from oxhorn.callbacks.backup_and_restore import BackupAndRestore
from oxhorn.callbacks.callback import Callback
from oxhorn.callbacks.callback_list import CallbackList
from oxhorn.callbacks.csv_logger import CSVLogger
from oxhorn.callbacks.early_stopping import EarlyStopping
from oxhorn.callbacks.history import History
from oxhorn.callbacks.lambda_callback import LambdaCallback
from oxhorn.callbacks.learning_rate_scheduler import LearningRateScheduler
from oxhorn.callbacks.model_checkpoint import ModelCheckpoint
from oxhorn.callbacks.progbar_logger import ProgbarLogger
from oxhorn.callbacks.rate_scheduler import RateScheduler
from oxhorn.callbacks.reduce_lr_on_plateau import ReduceLROnPlateau
from oxhorn.callbacks.swap_ema_weights import SwapEMAWeights
from oxhorn.callbacks.terminate_on_nan import TerminateOnNaN
from oxhorn.callbacks.unsupported import OrbaxCheckpoint, RemoteMonitor

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "OrbaxCheckpoint",
    "ProgbarLogger",
    "RateScheduler",
    "ReduceLROnPlateau",
    "RemoteMonitor",
    "SwapEMAWeights",
    "TensorBoard",
    "TerminateOnNaN",
]


def __getattr__(name: str) -> type:
    # Few trainings write for TensorBoard, and its file format is worth some imports.
    if name == "TensorBoard":
        from oxhorn.callbacks.tensorboard import TensorBoard

        globals()["TensorBoard"] = TensorBoard
        return TensorBoard
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
