"""`python -m skts`."""

import sys

import torch

from skts.commandline import main

if __name__ == "__main__":
    torch.set_num_threads(1)  # so small networks gain nothing from more, and lose much on a busy machine
    sys.exit(main())
