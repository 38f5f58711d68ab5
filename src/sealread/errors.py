"""What can go wrong, as a tree, and the one table from class to exit status and HTTP status.

SealreadError
├── InputError    the caller's: unreadable or too large input, unknown option, bad value    exit 2, HTTP 422
├── ModelError    the installation's: unknown model, missing or unfit file, checksum        exit 3, HTTP 503
└── EngineError   the runtime's: a network failed while it ran                              exit 4, HTTP 500

Each message is one sentence for people: what is wrong and what to do. Programs read the attributes.
"""

from __future__ import annotations


class SealreadError(Exception):
    """Any failure that sealread reports on purpose.

    Attributes:
        source: the input that failed, as the caller named it; None where no single input is to blame.
        parameter: the name of the parameter or configuration key at fault, or None.
    """

    exit_status = 1
    http_status = 500

    def __init__(self, message: str, *, source: str | None = None, parameter: str | None = None) -> None:
        super().__init__(message)
        self.source = source
        self.parameter = parameter


class InputError(SealreadError, ValueError):
    """The caller's input or option cannot be used."""

    exit_status = 2
    http_status = 422


class ModelError(SealreadError):
    """A network is unknown, missing, damaged or does not fit its task."""

    exit_status = 3
    http_status = 503


class EngineError(SealreadError, RuntimeError):
    """A network failed while it ran."""

    exit_status = 4
    http_status = 500
