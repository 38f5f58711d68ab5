"""Jobs on disk: an SQLite file and, beside it, the files that are still to be read.

A job that was accepted is on disk before its client hears of it; a page that was read is there before it counts as done.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sqlite3
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

from sealread.errors import InputError
from sealread.server.intake import Upload

State = Literal["waiting", "running", "done", "failed"]

#: Of pages that are given out together.
_MOST_BYTES = 20_000_000

_TABLES = """
create table if not exists job (
    id text primary key, owner text not null, state text not null, created real not null, finished real, log_id text not null,
    kind integer not null, options text not null, visualize integer, file_type text, total integer, wanted integer, message text,
    bytes integer not null
);
create table if not exists page (
    job text not null references job (id) on delete cascade, number integer not null, width integer, height integer,
    seals integer, content blob, message text, primary key (job, number)
);
"""


@dataclass(frozen=True, slots=True)
class Job:
    """A file that was handed in.

    Attributes:
        owner: who handed it in; nobody else sees it.
        file_type: ``image``, ``pdf`` or ``tiff``; None before the first page was opened, as are the next two.
        total: pages that the file has.
        wanted: pages that are read.
        message: why it failed.
    """

    id: str
    owner: str
    state: State
    log_id: str
    kind: int
    options: Mapping[str, Any]
    visualize: bool | None
    file_type: str | None
    total: int | None
    wanted: int | None
    message: str | None


@dataclass(frozen=True, slots=True)
class StoredPage:
    """A page of a job: its JSON, or why it failed."""

    number: int
    width: int | None
    height: int | None
    seals: int | None
    content: bytes | None
    message: str | None


class JobStore:
    """The jobs in a folder; threads may share it.

    Raises:
        InputError: the folder cannot be used, or another service uses it.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._lock = _lock(folder / "lock")
            self._lines = sqlite3.connect(folder / "jobs.sqlite", check_same_thread=False, isolation_level=None)
            self._lines.executescript("pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on;" + _TABLES)
        except (OSError, sqlite3.Error) as cause:
            message = f"jobs cannot be kept in {folder} ({cause}): name another jobs_folder, or set Serving.extra.jobs to False"
            raise InputError(message, parameter="Serving.extra.jobs_folder") from cause
        self._guard = threading.Lock()
        self._ask("update job set state = 'waiting' where state = 'running'")
        known = {row[0] for row in self._ask("select id from job where state = 'waiting'")}
        for file in folder.glob("*.input"):
            if file.stem not in known:
                file.unlink()

    def close(self) -> None:
        """Leave the folder to others."""
        with self._guard:
            self._lines.close()
            self._lock.close()

    def _ask(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with self._guard:
            return self._lines.execute(sql, values).fetchall()

    def add(self, upload: Upload, owner: str, log_id: str) -> Job:
        """Take over the file of an upload as a new job."""
        name = secrets.token_hex(16)
        file = self.file(name)
        shutil.move(upload.path, file)
        with file.open("rb+") as written:
            os.fsync(written.fileno())
        options = json.dumps({key: _plain(value) for key, value in upload.options.items()})
        row = (name, owner, "waiting", time.time(), log_id, upload.kind, options, upload.visualize, file.stat().st_size)
        self._ask("insert into job (id, owner, state, created, log_id, kind, options, visualize, bytes) values (?,?,?,?,?,?,?,?,?)", row)
        return self.job(name)

    def file(self, job: str) -> Path:
        """Where the file of a job lies until it is finished."""
        return self._folder / f"{job}.input"

    def job(self, name: str) -> Job:
        """The job of that name.

        Raises:
            KeyError: there is none.
        """
        columns = "id, owner, state, log_id, kind, options, visualize, file_type, total, wanted, message"
        rows = self._ask(f"select {columns} from job where id = ?", (name,))
        if not rows:
            raise KeyError(name)
        values = list(rows[0])
        values[5] = json.loads(values[5])
        values[6] = None if values[6] is None else bool(values[6])
        return Job(*values)

    def unfinished(self) -> list[str]:
        """Names of jobs that are to be done, oldest first."""
        return [row[0] for row in self._ask("select id from job where state in ('waiting', 'running') order by created, id")]

    def size(self) -> int:
        """Bytes that all jobs hold."""
        return int(self._ask("select coalesce(sum(bytes), 0) from job")[0][0])

    def begin(self, name: str, file_type: str | None = None, total: int | None = None, wanted: int | None = None) -> None:
        """Note that a job runs, and what its file is as soon as that is known."""
        sql = (
            "update job set state = 'running', file_type = coalesce(?, file_type), total = coalesce(?, total), wanted = coalesce(?, wanted)"
        )
        self._ask(f"{sql} where id = ?", (file_type, total, wanted, name))

    def save(self, name: str, page: StoredPage) -> None:
        """Keep a page of a job that still exists."""
        values = (page.number, page.width, page.height, page.seals, page.content, page.message, name)
        self._ask("insert or replace into page select id, ?, ?, ?, ?, ?, ? from job where id = ?", values)
        self._ask("update job set bytes = bytes + ? where id = ?", (0 if page.content is None else len(page.content), name))

    def finish(self, name: str, message: str | None = None) -> None:
        """Note that a job is done, or why it failed; its file goes."""
        state = "done" if message is None else "failed"
        size = self.file(name).stat().st_size if self.file(name).exists() else 0
        values = (state, message, time.time(), size, name)
        self._ask("update job set state = ?, message = ?, finished = ?, bytes = bytes - ? where id = ?", values)
        self.file(name).unlink(missing_ok=True)

    def pages(self, name: str, first: int, count: int) -> list[StoredPage]:
        """Some pages that are done, in order; fewer where they would take too much memory at once."""
        sql = "select number, length(content) from page where job = ? and number >= ? order by number limit ?"
        chosen: list[int] = []
        size = 0
        for number, length in self._ask(sql, (name, first, count)):
            size += 0 if length is None else length
            if chosen and size > _MOST_BYTES:
                break
            chosen.append(number)
        if not chosen:
            return []
        columns = "number, width, height, seals, content, message"
        sql = f"select {columns} from page where job = ? and number between ? and ? order by number"
        return [StoredPage(*row) for row in self._ask(sql, (name, chosen[0], chosen[-1]))]

    def done(self, name: str) -> set[int]:
        """Numbers of the pages that are done."""
        return {row[0] for row in self._ask("select number from page where job = ?", (name,))}

    def remove(self, name: str) -> None:
        """Forget a job and all that belongs to it."""
        self._ask("delete from job where id = ?", (name,))
        self.file(name).unlink(missing_ok=True)

    def expire(self, hours: float) -> int:
        """Forget jobs that were finished before that; gives their number."""
        rows = self._ask("select id from job where finished < ?", (time.time() - hours * 3600,))
        for (name,) in rows:
            self.remove(name)
        return len(rows)


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value


def _lock(path: Path) -> IO[str]:
    """The file, open, and held for this process where the system knows how.

    Raises:
        OSError: another process holds it.
    """
    file = open(path, "a")  # noqa: SIM115 - the caller closes it
    if sys.platform != "win32":
        import fcntl

        try:
            fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as cause:
            file.close()
            raise OSError("another service uses it") from cause
    return file
