"""Source files that one transaction replaces: all of them or none, also when the process dies on the way.

Beside each file stand, while it is being replaced, its new text (`cart.py.midflight~`) and its old one
(`cart.py.midflight-old~`). Until the transaction is recorded the old ones are the truth: whoever finds them puts them
back. Letting them go is the file system's half of the commit."""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from midflight.errors import StoreError
from midflight.graph.hook import read_bytes
from midflight.store.faults import reached
from midflight.store.intents import Busy, Intents
from midflight.store.versions import sha_of
from midflight.values import Problem

log = logging.getLogger("midflight")


class WriteFailed(StoreError):
    """A source file that could not be written; `problem` says it as a report does."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message, problem.path, problem.hint)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Replacement:
    """One file: SHA-256 of what it holds before (None: it is not there) and after. `untaken`: what it holds before is
    an edit that no program ever took. `by` is part of the names beside it where no store says who writes what."""

    path: str
    before: str | None
    after: str
    untaken: bool = False
    by: str = ""

    @property
    def new(self) -> str:
        return f"{self.path}.midflight{self.by}~"

    @property
    def old(self) -> str:
        return f"{self.path}.midflight-old{self.by}~"

    @property
    def kept(self) -> str:
        """Where an edit that nobody took is kept."""
        return f"{self.path}.kept-{(self.before or '')[:8]}"


class FileWrites:
    """`texts` by path, to be written where the program runs `known`. `do`, then `undo`, or `recorded` and `finish`."""

    def __init__(
        self, texts: Mapping[str, bytes], known: Mapping[str, bytes | None], intents: Intents | None, cause: str
    ) -> None:
        self._texts, self._intents, self._cause = texts, intents, cause
        by = "" if intents is not None else f"-{os.getpid()}"  # another process may write the same files
        self._files = [one for path, text in texts.items() if (one := _replacement(path, text, known.get(path), by))]
        self._intent: int | None = None
        self._begun: list[Replacement] = []  # what lies beside other files is somebody else's
        self._folders: list[str] = []  # that were made for them, the outer ones first
        self.notes = [
            f"{one.path} held an edit that was never taken: it is kept in {one.kept}"
            for one in self._files
            if one.untaken
        ]

    def do(self) -> None:
        """Write them all aside, then put one after the other in place. Raises WriteFailed."""
        if not self._files:
            return
        self._note()
        for one in self._files:
            with _told(one.path):
                reached("files.aside")
                self._begun.append(one)
                self._make_folders(os.path.dirname(one.path))
                _write_aside(one, self._texts[one.path])
        reached("files.asides")
        self._make_durable()  # before the first file is another one
        for one in self._files:
            with _told(one.path):
                _put_in_place(one)
        _sync_folders(self._files)

    def _make_folders(self, folder: str) -> None:
        missing = []
        while folder and not os.path.isdir(folder):
            missing.append(folder)
            folder = os.path.dirname(folder)
        for one in reversed(missing):
            os.mkdir(one)
            self._folders.append(one)

    def _note(self) -> None:
        try:
            if self._intents is not None:
                self._intent = self._intents.begin(self._cause, [asdict(one) for one in self._files])
        except Busy as busy:
            raise WriteFailed(Problem(busy.path, 0, "MF061", busy.why, "Ask again when it is done.")) from busy
        except StoreError as error:
            self._go_on_without(error)

    def _make_durable(self) -> None:
        try:
            if self._intents is not None:
                self._intents.make_durable()
        except StoreError as error:
            self._go_on_without(error)

    def _go_on_without(self, error: StoreError) -> None:
        # Each file is replaced as a whole all the same; only a death between two of them would not be put right.
        log.warning("source files are written without a note of it in the store: %s", error)
        self._intents = None

    def undo(self) -> None:
        """All files hold again what they did."""
        reached("files.back")
        for one in reversed(self._begun):
            put_back(one)
        _sync_folders(self._begun)
        for folder in reversed(self._folders):
            with contextlib.suppress(OSError):  # somebody else has put something there
                os.rmdir(folder)
        reached("files.back.done")
        self._end()

    def _end(self) -> None:
        if self._intents is not None and self._intent is not None:
            with contextlib.suppress(StoreError):  # the next start finds that nothing is left to do
                self._intents.end(self._intent)

    def recorded(self) -> None:
        """A part of the store's transaction that records the report. Raises StoreError."""
        if self._intents is not None and self._intent is not None:
            self._intents.recorded(self._intent)

    def finish(self) -> None:
        """The transaction stands. Raises OSError where an old file can neither be let go nor kept."""
        self._release()
        self._end()

    def _release(self) -> None:
        """What the files held before is let go, or kept where nobody has it but we."""
        reached("files.release")
        for one in self._files:
            let_go(one)
        reached("files.released")


def _replacement(path: str, text: bytes, known: bytes | None, by: str) -> Replacement | None:
    found = read_bytes(path)
    if found == text:
        return None
    untaken = found is not None and known is not None and found != known
    return Replacement(path, sha_of(found) if found is not None else None, sha_of(text), untaken, by)


def _write_aside(one: Replacement, text: bytes) -> None:
    with open(one.new, "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    with contextlib.suppress(OSError):
        os.chmod(one.new, os.stat(one.path).st_mode & 0o7777)


def _put_in_place(one: Replacement) -> None:
    reached("files.keep")
    with contextlib.suppress(FileNotFoundError):
        os.unlink(one.old)
    if one.before is None:
        os.close(os.open(one.old, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))  # empty: there was no file
    else:
        _keep_old(one)
    reached("files.replace")
    os.replace(one.new, one.path)
    reached("files.replaced")
    if one.before is not None and sha_of(read_bytes(one.old) or b"") != one.before:
        raise WriteFailed(_saved_meanwhile(one.path))


def _keep_old(one: Replacement) -> None:
    try:
        os.link(one.path, one.old)  # the file itself: whatever an editor still writes into it is in there
    except OSError:  # a file system without links
        text = read_bytes(one.path)
        with open(one.old, "wb") as file:
            file.write(text if text is not None else b"")
            file.flush()
            os.fsync(file.fileno())


def put_back(one: Replacement) -> str:
    """The file as it was; what stands now if that was not to be, else ""."""
    _unlink(one.new)
    if not os.path.lexists(one.old):
        return ""
    reached("files.back.put")
    found = read_bytes(one.path)
    sha = sha_of(found) if found is not None else None
    if sha == one.after and one.before is None:
        os.unlink(one.path)
        _unlink(one.old)
    elif sha == one.after or found is None:
        os.replace(one.old, one.path)
    elif sha == one.before or one.before is None:
        _unlink(one.old)
    else:
        os.replace(one.old, one.kept)
        return f"{one.path} was edited since and stays; what it held before is in {one.kept}"
    return ""


def let_go(one: Replacement) -> None:
    _unlink(one.new)
    if one.untaken and os.path.lexists(one.old):
        os.replace(one.old, one.kept)
    _unlink(one.old)


def replacements(files: Iterable[Mapping[str, Any]]) -> list[Replacement]:
    return [Replacement(**one) for one in files]


def _sync_folders(files: Iterable[Replacement]) -> None:
    for folder in filter(os.path.isdir, {os.path.dirname(one.path) for one in files}):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _unlink(path: str) -> None:
    with contextlib.suppress(FileNotFoundError, IsADirectoryError):  # a folder of that name is not ours
        os.unlink(path)


@contextlib.contextmanager
def _told(path: str) -> Any:
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        hint = "Make room there, or give this user write permission, and ask again."
        raise WriteFailed(Problem(path, 0, "MF060", f"could not be written: {why}", hint)) from error


def _saved_meanwhile(path: str) -> Problem:
    message = "was saved by somebody else in the very moment in which it was written"
    return Problem(path, 0, "MF061", message, "That save stays. Look at it, and ask again.")
