"""What the two libraries on pytorch-lightning share."""

import logging
import warnings
from typing import Any

from pytorch_lightning import Callback
from torch.optim.lr_scheduler import OneCycleLR

from benchmarks.adapters._watch import Watch


class LightningWatch(Callback):
    """Let a fit of Lightning be watched, step by step."""

    def __init__(self, watch: Watch):
        self.watch = watch

    def on_train_start(self, trainer, module):
        self.watch.begin()

    def on_train_batch_end(self, trainer, module, *arguments):
        self.watch.look(module)

    def on_train_end(self, trainer, module):
        self.watch.end(module)


def trainer_options(watch: Watch, device: str) -> dict[str, Any]:
    """Give what a trainer is told: no progress, logs or checkpoints, and who watches."""
    warnings.simplefilter("ignore")
    for name in ("pytorch_lightning", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    off = dict.fromkeys(("logger", "enable_progress_bar", "enable_model_summary", "enable_checkpointing"), False)
    place = {"accelerator": "gpu" if device == "cuda" else "cpu", "devices": 1}
    return {**off, **place, "callbacks": [LightningWatch(watch)]}


def one_cycle(rate: float, n_steps: int) -> tuple[type, dict[str, Any]]:
    """Give a scheduler and its arguments: the one that skts has as lr_schedule="one_cycle"."""
    return OneCycleLR, {"max_lr": rate, "total_steps": n_steps + 1, "cycle_momentum": False}
