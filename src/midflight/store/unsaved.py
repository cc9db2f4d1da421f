"""What a session reported and its store does not have yet, as bytes: they lie in the session's own file, from which the
next start takes them if the process dies before."""

from __future__ import annotations

import binascii
import json
import re
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass

from midflight.store.versions import Ran, Store
from midflight.values import Report, as_json

Key = tuple[str, str, str]  # module, path, SHA-256


@dataclass(frozen=True, slots=True)
class Unsaved:
    """One report with the versions that ran because of it."""

    report: Report
    ran: Sequence[Ran]
    reason: str
    author: str

    def to_bytes(self, known: Container[Key] = ()) -> bytes:
        """Its own length and checksum, a line of JSON and the texts one after the other; without earlier texts that are
        `known`."""
        rows, texts = [], []
        for one in self.ran:
            before = None if (one.module, one.path, one.sha_before) in known else one.before
            lengths = [None if text is None else len(text) for text in (before, one.after)]
            rows.append([one.module, one.path, one.sha_before, one.sha_after, *lengths])
            texts += [text for text in (before, one.after) if text is not None]
        head = as_json([self.report.to_json(), self.reason, self.author, rows])
        body = b"\n".join([head.encode(), b"".join(texts)])
        return b"%d %08x\n%b" % (len(body), binascii.crc32(body), body)

    def save(self, store: Store, session: str) -> tuple[Key, ...]:
        """Put it into the store, and gives which of its versions are not stable there: they are provisional."""
        fresh = [one.key for one in self.ran if one.sha_after is not None]
        unproven = tuple(key for key in fresh if not store.versions.is_stable(*key))
        store.versions.record(self.report, self.ran, reason=self.reason, author=self.author)
        if session and unproven:
            store.versions.begin_window(session, self.report.id, unproven, self.report.at)
        return unproven


def unsaved_in(data: bytes) -> Iterator[Unsaved]:
    """What `to_bytes` wrote, one after the other; it ends before the first that is not as it was written, for the
    machine went down with it."""
    while head := re.match(rb"(\d{1,18}) ([0-9a-f]{8})\n", data):
        end = head.end() + int(head[1])
        body = data[head.end() : end]
        if end > len(data) or binascii.crc32(body) != int(head[2], 16):
            return
        found = _unsaved(body)
        if found is None:
            return
        yield found
        data = data[end:]


def _unsaved(body: bytes) -> Unsaved | None:
    """None where another version of midflight wrote it, in another shape."""
    head, _, texts = body.partition(b"\n")
    try:
        report, reason, author, rows = json.loads(head)
        ran, at = [], 0
        for module, path, sha_before, sha_after, length_before, length_after in rows:
            before, at = _cut(texts, at, length_before)
            after, at = _cut(texts, at, length_after)
            ran.append(Ran(module, path, before, after, sha_before, sha_after))
        return Unsaved(Report.from_json(report), ran, reason, author)
    except (ValueError, TypeError):
        return None


def _cut(texts: bytes, at: int, length: int | None) -> tuple[bytes | None, int]:
    """The text that begins at `at`, and where the next one does."""
    return (None, at) if length is None else (texts[at : at + length], at + length)
