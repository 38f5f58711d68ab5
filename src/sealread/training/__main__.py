"""``python -m sealread.training -c CONFIG.yaml -o Global.mode=train``: the training command under the reference's form."""

import sys

from sealread.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
