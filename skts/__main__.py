"""`python -m skts`."""

import sys
import warnings

import torch

from skts.commandline import main
from skts.training import tune_allocator

if __name__ == "__main__":
    torch.set_num_threads(1)  # so small networks gain nothing from more, and lose much on a busy machine
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # where there is nothing to tune
        tune_allocator()
    sys.exit(main())
