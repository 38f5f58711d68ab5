"""Writes the figures of bench/results into the repository's README: `python bench/readme.py`; `--check` only compares.

Between `<!-- figures: NAME -->` and `<!-- /figures -->` stands what NAME.json says, or a line that says how it is made.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path

from setting import REPOSITORY, RESULTS
from tables import accuracy_tables, speed_tables

README = REPOSITORY / "README.md"
TABLES = {"accuracy": accuracy_tables, "speed": speed_tables}
NOT_YET = "The figures are written by `make bench`."


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; exit status 1 if the README says something else")
    options = parser.parse_args()
    text = README.read_text(encoding="utf-8")
    filled = with_figures(text, RESULTS)
    if not options.check:
        README.write_text(filled, encoding="utf-8")
    elif filled != text:
        print("readme: README.md does not show the figures of bench/results; run python bench/readme.py", file=sys.stderr)
        return 1
    return 0


def with_figures(text: str, results: Path) -> str:
    """The README's text with the figures that lie in the folder."""
    for name in TABLES:
        place = re.search(rf"<!-- figures: {name} -->\n(.*?)<!-- /figures -->", text, re.DOTALL)
        if place is None:
            raise SystemExit(f"readme: README.md has no place for the figures of {name}: <!-- figures: {name} --> ... <!-- /figures -->")
        text = f"{text[: place.start(1)]}{figures(name, results)}\n{text[place.end(1) :]}"
    return text


def figures(name: str, results: Path) -> str:
    """Where and when one benchmark was measured, and its first table."""
    path = results / f"{name}.json"
    if not path.exists():
        return NOT_YET
    _, where, table, *_ = TABLES[name](json.loads(path.read_text(encoding="utf-8")))
    return f"{where}\n\n{table}\n\nMore: [bench/results](bench/results/README.md)."


if __name__ == "__main__":
    sys.exit(main())
