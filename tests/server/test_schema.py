"""The service against its own OpenAPI document: no request that schemathesis makes of it ends in a 5xx.

schemathesis is not among the test dependencies; `pip install schemathesis` makes this test run. The variable SEALREAD_FUZZ_EXAMPLES says
how many requests it makes of each kind.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

import pytest


def test_no_request_of_the_document_ends_in_a_server_error(service: Any) -> None:
    pytest.importorskip("schemathesis", reason="schemathesis is not installed: pip install schemathesis")
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{service.url}/openapi.json", "--checks", "not_a_server_error"]
    command += ["--max-examples", os.environ.get("SEALREAD_FUZZ_EXAMPLES", "10"), "--seed", "1"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace")
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert service.client.get("/health").status_code == 200
