"""The engine: a table of addresses on the device, batches gathered there, the skorch net that trains on them."""

from skts.training._address_table import AddressTable, fill_forward
from skts.training._atomic_save import write_atomically
from skts.training._batch_size import REFERENCE_BATCH_SIZE, find_batch_size, scale_lr
from skts.training._batches import Batches
from skts.training._callbacks import check_callbacks
from skts.training._device import check_precision, draws_in_training, resolve_device, seeded
from skts.training._layout import make_table
from skts.training._tune_allocator import mention_allocator, tune_allocator
from skts.training._window_net import WindowNet

__all__ = [
    "REFERENCE_BATCH_SIZE",
    "AddressTable",
    "Batches",
    "WindowNet",
    "check_callbacks",
    "check_precision",
    "draws_in_training",
    "fill_forward",
    "find_batch_size",
    "make_table",
    "mention_allocator",
    "resolve_device",
    "scale_lr",
    "seeded",
    "tune_allocator",
    "write_atomically",
]
