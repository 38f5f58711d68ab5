"""``python -m sealread``."""

from __future__ import annotations

import sys

from sealread.cli import main

if __name__ == "__main__":
    sys.exit(main())
