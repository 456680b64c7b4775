"""``python -m adaptive_pool`` is the command ``adaptive-pool``."""

import sys

from ._cli import main

if __name__ == "__main__":
    sys.exit(main())
