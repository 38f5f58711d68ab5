"""Reads the seals of one file through the service: `python client.py FILE [URL]`. Needs nothing beyond Python."""

import base64
import json
import sys
import urllib.error
import urllib.request
from typing import Any


def read(path: str, url: str) -> Any:
    with open(path, "rb") as file:
        body = {"file": base64.b64encode(file.read()).decode("ascii"), "fileType": 0 if path.lower().endswith(".pdf") else 1}
    body["visualize"] = False  # no pictures are wanted
    request = urllib.request.Request(url + "/seal-recognition", json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=120) as answer:
        return json.load(answer)["result"]


def main() -> None:
    if len(sys.argv) not in (2, 3):
        sys.exit("usage: python client.py FILE [URL]")
    try:
        result = read(sys.argv[1], sys.argv[2] if len(sys.argv) == 3 else "http://localhost:8080")
    except urllib.error.HTTPError as error:  # the service says why in JSON, a proxy before it may not
        sys.exit(f"HTTP {error.code}: {error.read().decode('utf-8', 'replace')}")
    except OSError as error:  # no such file, no service, a time limit
        sys.exit(str(error))
    for number, page in enumerate(result["sealRecResults"], 1):
        for seal in page["prunedResult"]["seals"]:
            for line in seal["lines"]:
                print(f"page {number}, seal {seal['region_id']}, {line['score']:.2f}: {line['text']}")


if __name__ == "__main__":
    main()
