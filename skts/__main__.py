"""`python -m skts`, and the program `skts`."""

import sys
import warnings

import torch

from skts import commandline
from skts.training import tune_allocator


def main() -> int:
    """Set the process up for training on a CPU, and run the command."""
    torch.set_num_threads(1)  # so small networks gain nothing from more, and lose much on a busy machine
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # where there is nothing to tune
        tune_allocator()
    return commandline.main()


if __name__ == "__main__":
    sys.exit(main())
