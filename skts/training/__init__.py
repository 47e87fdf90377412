"""The engine: data on the device, batches gathered there, the skorch net that trains on them."""

from skts.training._batch_size import REFERENCE_BATCH_SIZE, find_batch_size, scale_lr
from skts.training._batches import Batches
from skts.training._chunk_dataset import ChunkDataset
from skts.training._device import check_precision, resolve_device, seeded
from skts.training._epoch_listener import EpochListener
from skts.training._tune_allocator import mention_allocator, tune_allocator
from skts.training._window_dataset import WindowDataset, fill_forward
from skts.training._window_net import WindowNet

__all__ = [
    "REFERENCE_BATCH_SIZE",
    "Batches",
    "ChunkDataset",
    "EpochListener",
    "WindowDataset",
    "WindowNet",
    "check_precision",
    "fill_forward",
    "find_batch_size",
    "mention_allocator",
    "resolve_device",
    "scale_lr",
    "seeded",
    "tune_allocator",
]
