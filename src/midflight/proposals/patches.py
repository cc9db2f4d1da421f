"""Unified diffs: read, and applied to a text where their context stands. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from midflight.plan.statements import bare_lines
from midflight.proposals.states import ProposalError

_HUNK = re.compile(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
# What stands between two files of a `git diff`, a `git format-patch` or a subversion diff.
_BETWEEN = ("diff ", "index ", "Index: ", "=====", "new file mode ", "old mode ", "new mode ", "-- ", "similarity ")
_REFUSED = ("rename from ", "rename to ", "copy from ", "deleted file mode ", "Binary files ", "GIT binary patch")


@dataclass(frozen=True, slots=True)
class FilePatch:
    """The hunks of one file, as text; `path` is as the patch names it, without a/ and b/."""

    path: str
    is_new: bool
    text: str


@dataclass(frozen=True, slots=True)
class Hunk:
    """`start` counts from 0; `body` holds (sign, line without its end)."""

    head: str
    start: int
    body: tuple[tuple[str, str], ...]

    @property
    def old(self) -> tuple[str, ...]:
        return tuple(text for sign, text in self.body if sign in " -")

    @property
    def new(self) -> tuple[str, ...]:
        return tuple(text for sign, text in self.body if sign in " +")


def is_patch(content: str) -> bool:
    return bool(re.search(r"^@@ ", content, re.MULTILINE)) and bool(re.search(r"^\+\+\+ ", content, re.MULTILINE))


def split_patch(content: str) -> list[FilePatch]:
    """One FilePatch a file. Raises ProposalError, which names the line, for what is no unified diff, and for renames,
    deletions and binary files."""
    lines = bare_lines(content)
    for number, line in enumerate(lines, 1):
        if line.startswith(_REFUSED):
            raise _malformed(number, f"{line!r}: only edits of text and new files can be taken")
    heads = [at for at in range(len(lines) - 1) if lines[at].startswith("--- ") and lines[at + 1].startswith("+++ ")]
    if not heads:
        raise _malformed(1, "it has no '---' and '+++' lines that name a file")
    found = [_file_patch(lines, at, end) for at, end in zip(heads, [*heads[1:], len(lines)], strict=True)]
    names = [one.path for one in found]
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise _malformed(1, f"{twice} stands in it twice")
    return found


def _file_patch(lines: Sequence[str], at: int, end: int) -> FilePatch:
    old, new = _name(lines[at]), _name(lines[at + 1])
    if new == "/dev/null":
        raise _malformed(at + 2, f"it deletes {old}: only edits of text and new files can be taken")
    first = next((number for number in range(at + 2, end) if lines[number].startswith("@@ ")), None)
    if first is None:
        raise _malformed(at + 1, f"{new} has no hunk")
    hunks = list(_hunks(lines[first:end], first + 1))
    body = [line for one in hunks for line in (one.head, *(sign + text for sign, text in one.body))]
    return FilePatch(new, old == "/dev/null", "\n".join(body) + "\n")


def _name(line: str) -> str:
    name = line[4:].partition("\t")[0].strip()
    return re.sub(r"^[ab]/", "", name)


def _hunks(lines: Sequence[str], first_line: int) -> Iterator[Hunk]:
    at = 0
    while at < len(lines):
        head = _HUNK.match(lines[at])
        if head is None:
            if not lines[at].strip() or lines[at].startswith(_BETWEEN):
                at += 1
                continue
            if at and lines[at - 1].startswith("-- "):
                return  # the version of git, which ends its mails
            raise _malformed(first_line + at, f"{lines[at][:60]!r} is no hunk line")
        olds, news = (int(head[group]) if head[group] is not None else 1 for group in (2, 4))
        body, end = _body(lines, at + 1, olds, news, first_line)
        # A hunk of nothing old, `-12,0`, stands behind line 12.
        start = int(head[1]) if not olds else int(head[1]) - 1
        yield Hunk(lines[at], start, tuple(body))
        at = end


def _body(lines: Sequence[str], at: int, olds: int, news: int, first_line: int) -> tuple[list[tuple[str, str]], int]:
    """The hunk's lines as (sign, text), and where the next begins."""
    body: list[tuple[str, str]] = []
    while olds > 0 or news > 0:
        if at >= len(lines):
            raise _malformed(first_line + at, "its last hunk is shorter than its head says")
        line = lines[at]
        sign = line[:1] or " "  # editors strip the space of an empty context line
        if sign not in " +-\\":
            raise _malformed(first_line + at, f"{line[:60]!r} begins with neither ' ', '+' nor '-'")
        olds, news = olds - (sign in " -"), news - (sign in " +")
        if olds < 0 or news < 0:
            raise _malformed(first_line + at, "a hunk is longer than its head says")
        if sign != "\\":
            body.append((sign, line[1:]))
        at += 1
    while at < len(lines) and lines[at].startswith("\\"):
        at += 1
    return body, at


def apply_patch(base: str, hunks: str, path: str) -> str:
    """`base` with the hunks applied, each where its old lines stand: at the line it names, else the nearest one.

    Line ends are `base`'s own. Raises ProposalError where a hunk's old lines stand nowhere."""
    newline = "\r\n" if "\r\n" in base else "\n"
    lines = base.replace("\r\n", "\n").split("\n")
    ends_open = lines[-1] != ""
    if not ends_open:
        lines.pop()
    shift = 0
    for number, hunk in enumerate(_hunks(bare_lines(hunks), 1), 1):
        at = _find(lines, hunk.old, hunk.start + shift)
        if at is None:
            raise ProposalError(
                f"the patch does not fit {path}: its hunk {number} stands nowhere in it",
                f"It looks for {hunk.old[0].strip()!r} near line {hunk.start + 1}.",
                "The file changed since the patch was made; make it anew.",
            )
        lines[at : at + len(hunk.old)] = hunk.new
        shift = at - hunk.start + len(hunk.new) - len(hunk.old)
    return newline.join(lines) + ("" if ends_open and base else newline)


def _find(lines: Sequence[str], old: Sequence[str], near: int) -> int | None:
    if not old:
        return max(0, min(near, len(lines)))
    places = [at for at in range(len(lines) - len(old) + 1) if tuple(lines[at : at + len(old)]) == tuple(old)]
    return min(places, key=lambda at: abs(at - near), default=None)


def make_patch(before: str, after: str) -> str:
    """The hunks that lead from `before` to `after`; "" where nothing differs."""
    lines = difflib.unified_diff(bare_lines(before), bare_lines(after), lineterm="")
    return "".join(f"{line}\n" for line in list(lines)[2:])


def _malformed(line: int, why: str) -> ProposalError:
    return ProposalError(
        f"the patch is malformed at line {line}", f"{why}.", "Make it with `git diff` or `diff -u`; nothing was stored."
    )
