"""The engine: data on the device, batches gathered there, the skorch net that trains on them."""

from skts.training._batches import Batches
from skts.training._chunk_dataset import ChunkDataset
from skts.training._device import check_precision, resolve_device, seeded
from skts.training._epoch_listener import EpochListener
from skts.training._tune_allocator import mention_allocator, tune_allocator
from skts.training._window_dataset import WindowDataset, fill_forward
from skts.training._window_net import WindowNet

__all__ = [
    "Batches",
    "ChunkDataset",
    "EpochListener",
    "WindowDataset",
    "WindowNet",
    "check_precision",
    "fill_forward",
    "mention_allocator",
    "resolve_device",
    "seeded",
    "tune_allocator",
]
