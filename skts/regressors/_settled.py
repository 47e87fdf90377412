"""The size of batches and the learning rate, asked for and settled."""

from typing import Any

import torch

from skts.training import REFERENCE_BATCH_SIZE, ChunkDataset, WindowDataset, find_batch_size, scale_lr

_RATES = {"lr", "optimizer__lr", "optimizer__param_groups"}  # parameters of skorch that a user may have set


def batch_options(regressor: Any, found: int | None = None) -> dict[str, Any]:
    """Give the size of batches and the learning rate for it; `found` is what "auto" stands for."""
    if regressor.batch_size != "auto":
        return {"batch_size": regressor.batch_size, "lr": regressor.lr}
    size = getattr(regressor, "batch_size_", REFERENCE_BATCH_SIZE) if found is None else found
    optimizer = (regressor.net_params or {}).get("optimizer", torch.optim.AdamW)
    return {"batch_size": size, "lr": scale_lr(regressor.lr, size, optimizer)}


def settle_batch_size(regressor: Any, training: WindowDataset, *, search: bool) -> tuple[int, float]:
    """Find the size of batches where that is asked for; give it and the learning rate of the net.

    What stands in `net_params` is left alone, and whole series are not tried: their batches are chunks of up to 64.
    """
    net, given = regressor.net_, set(regressor.net_params or {})
    fixed = any("batch_size" in key for key in given) or isinstance(training, ChunkDataset)
    if search and regressor.batch_size == "auto" and not fixed:
        options = batch_options(regressor, find_batch_size(net, training))
        if given & _RATES:
            del options["lr"]
        net.set_params(**options)
    size = getattr(net.get_iterator(training, training=True), "batch_size", net.batch_size)
    return int(size), float(net.optimizer_.param_groups[0]["lr"])
