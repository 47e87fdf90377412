"""`python -m skts`."""

import sys

from skts.commandline import main

if __name__ == "__main__":
    sys.exit(main())
