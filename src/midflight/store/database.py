"""One sqlite file that several processes share: opened, migrated, written in transactions, moved aside when corrupt."""

from __future__ import annotations

import contextlib
import logging
import os
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from midflight.errors import StoreError
from midflight.store.faults import reached
from midflight.store.schema import MIGRATIONS

if TYPE_CHECKING:
    import sqlite3

log = logging.getLogger("midflight")

NAME = "history.db"
BUSY_S = 5.0
CACHE_KB = 256  # of pages, where sqlite would take 2 MB of the program's memory by and by
CHECKPOINT_BYTES = 4 << 20  # of write-ahead log, beyond which it is moved into the file


class Corrupt(StoreError):
    """The file is not what was written: opened again as `distrusted` it is moved aside."""


class Database:
    """The store's file in `folder`. One connection, used by one thread at a time.

    Raises StoreError where it cannot be opened. A corrupt file is moved aside, never deleted, and a new one begun; one
    that is `distrusted`, because it failed in use, is read through first."""

    def __init__(self, folder: str, *, read_only: bool = False, distrusted: bool = False) -> None:
        self.folder, self.path, self.read_only = folder, os.path.join(folder, NAME), read_only
        self.moved_aside = ""
        self._distrusted = distrusted
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = self._opened()

    # -- opening ------------------------------------------------------------------------------------

    def _opened(self) -> sqlite3.Connection:
        try:
            import sqlite3  # costs more than the rest of a session's start
        except ImportError as error:
            raise StoreError(
                "no version is stored on disk", f"this Python has no sqlite: {error}", "Use a Python built with it."
            ) from error
        if self.read_only:
            return self._checked(sqlite3)
        _make_folder(self.folder)
        with _alone(self.folder):  # so that two processes do not both make it, or both move it aside
            try:
                return self._checked(sqlite3)
            except sqlite3.DatabaseError as error:
                if not _is_corrupt(error):
                    raise _unusable(self.path, error) from error
                self._move_aside(error)
                return self._checked(sqlite3)

    def _checked(self, sqlite3: Any) -> sqlite3.Connection:
        try:
            connection = self._connected(sqlite3)
        except sqlite3.OperationalError as error:
            raise _unusable(self.path, error) from error
        try:
            self._migrate(connection)
            connection.execute("SELECT hash FROM entries ORDER BY seq DESC LIMIT 1").fetchone()
            if self._distrusted and connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                raise sqlite3.DatabaseError("its pages do not fit together")
        except sqlite3.OperationalError as error:
            connection.close()
            raise _unusable(self.path, error) from error
        except BaseException:
            connection.close()
            raise
        return connection  # type: ignore[no-any-return]

    def _connected(self, sqlite3: Any) -> Any:
        options: dict[str, Any] = {"timeout": BUSY_S, "isolation_level": None, "check_same_thread": False}
        if not self.read_only:
            return sqlite3.connect(self.path, **options)
        if not os.path.exists(self.path):
            raise StoreError(
                f"there is no store in {self.folder}", "no session of this project has stored anything yet"
            )
        # Without a log beside it the file is whole, and a folder that cannot be written has no place for locks.
        how = "mode=ro" if os.path.exists(f"{self.path}-wal") else "immutable=1"
        from urllib.parse import quote

        return sqlite3.connect(f"file:{quote(self.path)}?{how}", uri=True, **options)

    def _migrate(self, connection: sqlite3.Connection) -> None:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > len(MIGRATIONS):
            raise StoreError(
                f"{self.path} was left alone: it is of version {version}",
                f"A newer midflight wrote it; this one knows versions up to {len(MIGRATIONS)}.",
                "Use that midflight here, or move the file away.",
            )
        if self.read_only:
            return
        if version == 0:
            connection.execute("PRAGMA synchronous=OFF")  # nothing is in it yet that could be lost
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA wal_autocheckpoint=0")  # `tidy` does it, where nobody waits
        for number in range(version, len(MIGRATIONS)):
            connection.execute("BEGIN IMMEDIATE")
            if connection.execute("PRAGMA user_version").fetchone()[0] == number:
                for statement in MIGRATIONS[number]:
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version={number + 1}")
            connection.execute("COMMIT")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute(f"PRAGMA cache_size=-{CACHE_KB}")

    def _move_aside(self, error: Exception) -> None:
        aside = _free_name(f"{self.path}.corrupt")
        for tail in ("-wal", "-shm", ""):
            with contextlib.suppress(FileNotFoundError):
                os.rename(self.path + tail, aside + tail)
        self.moved_aside = aside
        log.warning("the store was corrupt (%s): it lies now in %s, and a new one was begun", error, aside)

    # -- use ----------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def write(self, *, synced: bool = True, wait_s: float = BUSY_S) -> Iterator[sqlite3.Connection]:
        """One transaction, all of it or none; inside another one a part of that. It is on the disk at its end, or, not
        `synced`, with the next `sync`: until then it outlives the process but not the machine. `wait_s` is for other
        processes to end theirs. Raises StoreError."""
        with self._lock:
            if self._depth:
                yield self._connection
                return
            with self._explained():
                self._connection.execute(f"PRAGMA synchronous={'FULL' if synced else 'NORMAL'}")
                self._connection.execute(f"PRAGMA busy_timeout={wait_s * 1000:.0f}")
                with self._transaction():
                    yield self._connection

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        reached("store.begin")
        self._connection.execute("BEGIN IMMEDIATE")
        self._depth += 1
        try:
            yield
            reached("store.commit")
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        finally:
            self._depth -= 1
        reached("store.committed")

    def written(self) -> tuple[int, int]:
        """Another pair whenever somebody has written: size and time of the log's file. A hint, at a twentieth of what
        asking the database costs: two writes within one tick of the clock may look like one."""
        try:
            found = os.stat(f"{self.path}-wal")
        except OSError:
            return 0, 0
        return found.st_size, found.st_mtime_ns

    def read(self, query: str, values: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        with self._lock, self._explained():
            return self._connection.execute(query, values).fetchall()

    @contextlib.contextmanager
    def _explained(self) -> Iterator[None]:
        import sqlite3

        try:
            yield
        except UnicodeEncodeError as error:
            raise StoreError(
                f"{error.object!r} cannot be stored: it is no text in UTF-8",
                "A folder or a file has a name of other bytes.",
                "Give it another name, and start again.",
            ) from error
        except sqlite3.Error as error:
            raise (Corrupt if _is_corrupt(error) else StoreError)(*_told(self.path, error)) from error

    def sync(self) -> None:
        """Everything written so far is on the disk when this returns.

        It waits on the log's own file and not in a transaction: nobody else who writes has to wait for the disk."""
        reached("store.sync")
        try:
            log_file = os.open(f"{self.path}-wal", os.O_RDONLY)
        except FileNotFoundError:
            return  # moved into the file, which sqlite has synced
        except OSError as error:
            raise _unusable(self.path, error) from error
        try:
            os.fsync(log_file)
        except OSError as error:
            raise _unusable(self.path, error) from error
        finally:
            os.close(log_file)
        reached("store.synced")

    def tidy(self) -> None:
        """Move a long write-ahead log into the file, as far as no other process reads it."""
        import sqlite3

        with contextlib.suppress(FileNotFoundError):
            if os.path.getsize(f"{self.path}-wal") < CHECKPOINT_BYTES:
                return
        with self._explained(), contextlib.closing(sqlite3.connect(self.path, timeout=0)) as other:
            other.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def close(self) -> None:
        with self._lock:
            self._connection.close()


def _make_folder(folder: str) -> None:
    try:
        os.makedirs(folder, exist_ok=True)
        ignore = os.path.join(folder, ".gitignore")
        if not os.path.exists(ignore):
            with open(ignore, "w", encoding="utf-8") as file:
                file.write("*\n")
    except OSError as error:
        raise _unusable(folder, error) from error


@contextlib.contextmanager
def _alone(folder: str) -> Iterator[None]:
    import fcntl

    try:
        lock = os.open(os.path.join(folder, "lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise _unusable(folder, error) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)


def _free_name(path: str) -> str:
    number = 1
    while os.path.lexists(f"{path}-{number}"):
        number += 1
    return f"{path}-{number}"


def _is_corrupt(error: Exception) -> bool:
    # sqlite's SQLITE_CORRUPT and SQLITE_NOTADB; the rest (locked, full, not writable) says nothing of the contents.
    return getattr(error, "sqlite_errorcode", 11) & 0xFF in (11, 26)


def _unusable(path: str, error: Exception) -> StoreError:
    return StoreError(*_told(path, error))


def _told(path: str, error: Exception) -> tuple[str, str, str]:
    why = str(error)
    if "full" in why or "No space" in why or "too large" in why:
        hint = "Make room on that disk."
    elif "readonly" in why or "Read-only" in why or "Permission" in why or "unable to open" in why:
        hint = "Give this user write permission there."
    elif "locked" in why:
        hint = "Another process is writing to it; try again."
    else:
        hint = "See `midflight audit --verify`."
    return f"the store in {path} cannot be used", f"{type(error).__name__}: {why}", hint
