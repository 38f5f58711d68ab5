"""Write the size and sha256 of each file that an installed package carries into the zoo's table: `python tools/zoo_digests.py`."""

from __future__ import annotations

import re
from pathlib import Path

from sealread.zoo.networks import carried, digest
from sealread.zoo.table import Carrier

TABLE = Path(__file__).parents[1] / "src/sealread/zoo/models.toml"


def main() -> None:
    """Rewrite the table in place; rows of packages that are not installed stay as they are."""
    head, *rows = TABLE.read_text(encoding="utf-8").split("[[model.carriers]]")
    done = [head]
    for row in rows:
        named = dict(re.findall(r'^(package|file) = "(.*)"$', row, re.M))
        file = carried(Carrier(**named, bytes=0, sha256=""))
        if file is None:
            print(f"{named['package']} is not installed: {named['file']} stays as it is")
        else:
            row = re.sub(r"^bytes = .*$", f"bytes = {file.stat().st_size}", row, count=1, flags=re.M)
            row = re.sub(r"^sha256 = .*$", f'sha256 = "{digest(file)}"', row, count=1, flags=re.M)
        done.append(row)
    TABLE.write_text("[[model.carriers]]".join(done), encoding="utf-8")


if __name__ == "__main__":
    main()
