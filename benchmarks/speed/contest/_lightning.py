"""What the two libraries on pytorch-lightning share."""

import logging
import warnings

import pytorch_lightning
from torch.optim.lr_scheduler import OneCycleLR

QUIET = {
    "accelerator": "cpu",
    "logger": False,
    "enable_progress_bar": False,
    "enable_model_summary": False,
    "enable_checkpointing": False,
}


class Marks(pytorch_lightning.Callback):
    """Look at the clock after every step."""

    def __init__(self, clock, n_steps):
        self.clock = clock
        self.n_steps = n_steps

    def on_train_batch_end(self, trainer, module, *told):
        self.clock.look(module, is_last=trainer.global_step == self.n_steps)


def one_cycle(rate, n_steps):
    """Give a scheduler and its arguments: the one that skts has as lr_schedule="one_cycle"."""
    return OneCycleLR, {"max_lr": rate, "total_steps": n_steps + 1, "cycle_momentum": False}


def hush():
    """Keep the libraries' advice out of the output."""
    warnings.simplefilter("ignore")
    for name in ("pytorch_lightning", "lightning_fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
