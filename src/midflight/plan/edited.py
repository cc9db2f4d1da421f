"""An old version and a new text → the new version: only what differs is parsed, of a function's body not even that.
Pure."""

from __future__ import annotations

import bisect
import types
from collections.abc import Sequence
from typing import NamedTuple

from midflight.plan.futures import future_flags
from midflight.plan.gaps import parse_gaps
from midflight.plan.statements import SourceText, Statement, lines_of, parse, reused

Compiled = dict[Statement, types.CodeType]


class Reread(NamedTuple):
    """A new version of a module, and what the compiler made of the one function whose body alone was edited; or, of a
    class, with nothing in it but the one method that was."""

    text: SourceText
    compiled: Compiled
    methods: Compiled


class _Region(NamedTuple):
    """Where a new text differs. `head` and `tail` lines are equal, and so are the statements `before` and `after`;
    `first` to `last` are the lines of the new text between those."""

    lines: tuple[str, ...]
    head: int
    tail: int
    before: int
    after: int
    first: int
    last: int


def parse_edited(old: SourceText, text: str, filename: str = "<source>") -> Reread:
    """`text` as statements, parsing only what differs from `old` in a region. Raises as `parse` does.

    A region that does not stand on its own (an open string, an `else`, a decorator at its end) is parsed with
    the whole text, and so is one that touches the lines where `from __future__` and the coding may stand."""
    # With a "\r" it was not read from a file: there every end of a line is one character.
    region = _edited_region(old, *_differing(old, text)) if "\r" not in text and "\r" not in old.text else None
    if region is None:
        return _parsed_whole(old, text, filename)
    if (body := _edited_body(old, region, filename)) is not None:
        found, code = body
        return Reread(_with_middle(old, text, region, (found,)), {found: code}, {})
    if (method := _edited_method(old, region, filename)) is not None:
        found, code = method
        return Reread(_with_middle(old, text, region, (found,)), {}, {found: code})
    olds = old.statements[region.before : len(old.statements) - region.after]
    try:
        middle = parse_gaps(olds, region.lines, region.first, region.last, filename)
    except (SyntaxError, ValueError):
        middle = None
    if middle is None:
        return _parsed_whole(old, text, filename)
    return Reread(_with_middle(old, text, region, middle), {}, {})


def _parsed_whole(old: SourceText, text: str, filename: str) -> Reread:
    new = parse(text, filename)
    return Reread(SourceText(text, reused(old.statements, new.statements), new.lines), {}, {})


def _with_middle(old: SourceText, text: str, region: _Region, middle: tuple[Statement, ...]) -> SourceText:
    down = len(region.lines) - len(old.lines)
    return old.with_middle(text, region.lines, region.before, middle, region.after, down)


def _differing(old: SourceText, text: str) -> tuple[tuple[str, ...], int, int]:
    """The lines of a new text, and how many at the start and at the end are equal."""
    # Compared as text: to cut all of it into lines first cost three times as much.
    at, ends = _common_ends(old.text, text)
    begin, end = text.rfind("\n", 0, at) + 1, len(text) - ends
    if not (_begins_line(text, end) and _begins_line(old.text, len(old.text) - ends)):
        end = text.find("\n", end) + 1 or len(text)
    head, tail = text.count("\n", 0, begin), text.count("\n", end) + (end < len(text) and text[-1] != "\n")
    return (*old.lines[:head], *lines_of(text[begin:end]), *old.lines[len(old.lines) - tail :]), head, tail


def _begins_line(text: str, at: int) -> bool:
    return at == 0 or text[at - 1] == "\n"


def _common_ends(left: str, right: str) -> tuple[int, int]:
    """How many characters at the start and, behind those, at the end are equal."""
    low, high = 0, min(len(left), len(right))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if right.startswith(left[low:middle], low) else (low, middle - 1)
    at, low, high = low, 0, min(len(left), len(right)) - low
    while low < high:
        middle = (low + high + 1) // 2
        equal = right.endswith(left[len(left) - middle : len(left) - low], 0, len(right) - low)
        low, high = (middle, high) if equal else (low, middle - 1)
    return at, low


def _edited_region(old: SourceText, lines: tuple[str, ...], head: int, tail: int) -> _Region:
    """Where `lines`, of which the first `head` and the last `tail` are equal, differ.

    What stands there is parsed alone, so nothing may reach over its ends: a line that goes on after a backslash, a
    statement that shares its line with another. (An `else` or an indented line there is a syntax error alone.)"""
    edited_last = len(old.lines) - tail
    statements = old.statements
    before = bisect.bisect_left(statements, head + 1, key=_last_line)
    if before and statements[before - 1].last == head == len(old.lines):
        before -= 1  # its line may have had no end
    while before and lines[statements[before - 1].last - 1].rstrip("\n").endswith("\\"):
        before -= 1
    start = max(before, bisect.bisect_right(statements, edited_last, key=_first_line))
    while start < len(statements) and start and statements[start - 1].last >= statements[start].first:
        start += 1
    while before and before < len(statements) and statements[before - 1].last >= statements[before].first:
        before -= 1
    first = statements[before - 1].last + 1 if before else 1
    last = statements[start].first - 1 + len(lines) - len(old.lines) if start < len(statements) else len(lines)
    return _Region(lines, head, tail, before, len(statements) - start, first, last)


def _edited_body(old: SourceText, region: _Region, filename: str) -> tuple[Statement, types.CodeType] | None:
    """The one function that was edited, where no line of its header was, and what the compiler makes of it: its text is
    compiled, and not parsed for anything else. What running it does, but for making other code, is what it did."""
    owner = _only(old, region)
    if owner is None or not owner.is_plain_def:
        return None
    last = region.last if owner.header else 0
    last = _last_of_body(region, owner.first + owner.header, last, "")
    if not last:
        return None
    found = owner.with_body("".join(region.lines[owner.first - 1 : last]), last)
    code = _compiled_alone(old, found.text, found.first, owner.header, filename)
    return (found, code) if code is not None else None


def _last_of_body(region: _Region, first: int, last: int, indent: str) -> int:
    """The last line of the code of a function whose body begins at `first` and reaches at most to `last`; 0 where more
    was edited than that body. `indent` is what stands before its header."""
    if region.head + 1 < first:
        return 0
    edited = (line for line in region.lines[region.head : len(region.lines) - region.tail] if not line.isspace())
    if not all(line.startswith(indent) and line[len(indent)] in " \t" for line in edited):
        return 0
    last = _last_of_code(region.lines, last)
    return last if last >= first else 0


def _only(old: SourceText, region: _Region) -> Statement | None:
    return old.statements[region.before] if region.before + 1 == len(old.statements) - region.after else None


def _last_of_code(lines: Sequence[str], last: int) -> int:
    """The last line up to `last` that is neither empty nor a comment; 0 where only the parser can say."""
    while last and (line := lines[last - 1].strip(" \t\n\f"))[:1] in ("#", ""):
        if "'" in line or '"' in line:
            return 0  # perhaps the end of a string
        last -= 1
    return 0 if last and lines[last - 1].rstrip("\n").endswith("\\") else last


def _compiled_alone(
    old: SourceText, text: str, first: int, header: int, filename: str, around: str = ""
) -> types.CodeType | None:
    """The code of a function as it would be in the module, inside the code of what makes it; None where the text is
    not this one function after all. `around` is the line of a class to put above it."""
    empty = first - 1 - (1 if old.mark else 0) - (1 if around else 0)
    if empty < 0:
        return None
    source, flags = old.mark + "\n" * empty + around + text, future_flags(old.future)
    try:
        code = compile(source, filename, "exec", flags, dont_inherit=True)
    except (SyntaxError, ValueError):
        return None  # told by who parses the whole
    made, inside = _codes_in(code), code
    if around and len(made) == 1:
        inside = made[0]
        made = _codes_in(inside)
    if len(made) != 1 or made[0].co_firstlineno != first:
        return None
    # What stands further down and is not in the function has ended it: the end of a string that began in it was edited.
    lines = [line for one in (code, inside) for _, _, line in one.co_lines() if line is not None]
    return code if max(lines) < first + header else None


def _codes_in(code: types.CodeType) -> list[types.CodeType]:
    return [const for const in code.co_consts if isinstance(const, types.CodeType)]


def _edited_method(old: SourceText, region: _Region, filename: str) -> tuple[Statement, types.CodeType] | None:
    """The one class that was edited, where the lines that differ lie inside the body of one of its methods and move
    nothing else, and what the compiler makes of a class with nothing but that method."""
    owner, lines = _only(old, region), region.lines
    if owner is None or not owner.is_class or len(lines) != len(old.lines) or owner.is_generic:
        return None
    at = _member_around(owner, old.lines, region.head + 1, len(lines) - region.tail)
    if at is None:
        return None
    member = owner.members[at]
    first, header = member.first + owner.shift, member.header
    indent = lines[first - 1][: len(lines[first - 1]) - len(lines[first - 1].lstrip(" \t"))]
    last = member.last + owner.shift
    if not header or not indent or _last_of_body(region, first + header, last, indent) != last:
        return None
    piece = "".join(lines[first - 1 : last])
    code = _compiled_alone(old, piece, first, header, filename, f"class {owner.defined}:\n")
    if code is None:
        return None
    method = member.with_body(piece, last - owner.shift)
    return owner.with_method(at, method, "".join(lines[owner.first - 1 : owner.last])), code


def _member_around(owner: Statement, lines: Sequence[str], first: int, last: int) -> int | None:
    """Which method of a class holds the lines from `first` to `last`, and no line of another statement."""
    members = owner.members
    at = bisect.bisect_right(members, first - owner.shift, key=_first_line) - 1
    if at < 0 or not members[at].is_def:
        return None
    begins, ends = members[at].first + owner.shift, members[at].last + owner.shift
    alone = (at == 0 or members[at - 1].last < members[at].first) and (
        at + 1 == len(members) or members[at + 1].first > members[at].last
    )
    continued = lines[begins - 2].rstrip("\n").endswith("\\")
    # The first line is the header's, or a decorator's: what stands there decides more than the body.
    return at if begins < first and last <= ends and alone and not continued and begins > owner.first else None


def _last_line(statement: Statement) -> int:
    return statement.last


def _first_line(statement: Statement) -> int:
    return statement.first
