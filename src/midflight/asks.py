"""What a reload is asked to take, and what it is to do besides."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from midflight.values import Problem

Sources = dict[str, bytes | None]  # path → its new text, None for a file that is gone


class Terms(NamedTuple):
    """What whoever takes a reload on trial adds to it: a further question before the trial, what to put back with the
    rest if it fails, who hears the exception that it failed by, and what its report is to say too."""

    check: Callable[[], list[Problem]]
    undo: Callable[[], None]
    heard: Callable[[BaseException], None]
    notes: Sequence[str] = ()


class Writes(NamedTuple):
    """Source files that a transaction writes when it commits, by path; why, who asked, and what its report says too.
    `alone`: files that are pending are not taken along."""

    texts: Mapping[str, bytes]
    reason: str = ""
    author: str = ""
    alone: bool = False
    notes: tuple[str, ...] = ()


NO_WRITES = Writes({})
